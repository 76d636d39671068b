package registration

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// pausedUntil, on Embargo's namespace, takes the configuration away until an instant:
// for whoever has to get a cluster going again at three in the morning.
const pausedUntil = "embargo.dev/paused-until"

// errPaused says that somebody paused admission, and until when.
type errPaused struct{ until time.Time }

func (e errPaused) Error() string {
	return fmt.Sprintf("admission is paused until %s by the annotation %s", e.until.UTC().Format(time.RFC3339), pausedUntil)
}

// checkPause returns errPaused while admission is paused. An annotation that can't be
// read pauses nothing, and is an error, so that whoever wrote it learns of it.
func (r *Registrar) checkPause(ctx context.Context) error {
	ns := &metav1.PartialObjectMetadata{}
	ns.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	if err := r.live.Get(ctx, client.ObjectKey{Name: r.options.Namespace}, ns); err != nil {
		return fmt.Errorf("reading namespace %s: %w", r.options.Namespace, err)
	}
	text, ok := ns.Annotations[pausedUntil]
	if !ok {
		return nil
	}
	until, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return errBadPause(text)
	}
	if until.After(r.options.Clock()) {
		return errPaused{until}
	}
	return nil
}

// errBadPause is an annotation that is no instant.
type errBadPause string

func (e errBadPause) Error() string {
	return fmt.Sprintf("the annotation %s on Embargo's namespace is %q and pauses nothing: want an RFC 3339 instant such as 2024-09-29T04:00:00Z", pausedUntil, string(e))
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
