package registration

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// pauseAnnotation, on Embargo's namespace, takes the configuration away until an instant:
// for whoever has to get a cluster going again at three in the morning.
const pauseAnnotation = "embargo.dev/paused-until"

func describePause(until time.Time) string {
	return fmt.Sprintf("admission is paused until %s by the annotation %s", until.UTC().Format(time.RFC3339), pauseAnnotation)
}

// pausedUntil returns the end of a pause, zero where admission isn't paused. An annotation that
// can't be read pauses nothing, and is logged.
func (r *Registrar) pausedUntil(ctx context.Context) (time.Time, error) {
	ns := &metav1.PartialObjectMetadata{}
	ns.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	if err := r.live.Get(ctx, client.ObjectKey{Name: r.options.Namespace}, ns); err != nil {
		return time.Time{}, fmt.Errorf("reading namespace %s: %w", r.options.Namespace, err)
	}
	text, ok := ns.Annotations[pauseAnnotation]
	if !ok {
		return time.Time{}, nil
	}
	until, err := time.Parse(time.RFC3339, text)
	if err != nil {
		logf.FromContext(ctx).Error(err, "not paused: the annotation on Embargo's namespace is no RFC 3339 instant such as 2024-09-29T04:00:00Z",
			"annotation", pauseAnnotation, "value", text)
		return time.Time{}, nil
	}
	if !until.After(r.options.Clock()) {
		return time.Time{}, nil
	}
	return until, nil
}

// withdraw takes the configuration away, unless it is another installation's.
func (r *Registrar) withdraw(ctx context.Context) error {
	current, err := r.current(ctx)
	if err != nil || current == nil {
		return err
	}
	if _, held := heldByOther(current, r.options.Installation, r.options.Endpoint); held && r.written == nil {
		return nil
	}
	r.written = nil
	return client.IgnoreNotFound(r.client.Delete(ctx, current))
}
