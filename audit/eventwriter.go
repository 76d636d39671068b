package audit

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	eventsclient "k8s.io/client-go/kubernetes/typed/events/v1"
	"k8s.io/client-go/tools/record/util"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

const (
	// eventSource is the controller that events name.
	eventSource = "embargo"
	// maxInstance is how long the API lets the name of a controller's instance be.
	maxInstance = 128
	// eventTries is how often an event is tried where the API server can't be reached, and
	// eventRetry the time from one try to the next.
	eventTries, eventRetry = 6, 10 * time.Second
)

// eventWriter writes events one by one. The recorder of client-go would join events of one
// reason about one object, such as those of two restrictions, and log an error for each that a
// namespace which is being deleted doesn't take.
type eventWriter struct {
	client   eventsclient.EventsGetter
	instance string
	retry    time.Duration
}

func newEventWriter(client eventsclient.EventsGetter) *eventWriter {
	host, _ := os.Hostname() // without one the name is short, and still right
	instance := eventSource + "-" + host
	return &eventWriter{client: client, instance: instance[:min(len(instance), maxInstance)], retry: eventRetry}
}

// write writes an event. One about what is in no namespace stands in default, as all such do.
func (w *eventWriter) write(ctx context.Context, e told) {
	namespace := cmp.Or(e.regarding.Namespace, metav1.NamespaceDefault)
	now := metav1.NowMicro()
	event := &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: util.GenerateEventName(e.regarding.Name, now.UnixNano())},
		EventTime:  now, ReportingController: eventSource, ReportingInstance: w.instance,
		Action: eventAction, Reason: e.reason, Regarding: *e.regarding, Note: e.note, Type: corev1.EventTypeWarning,
	}
	var err error
	for range eventTries {
		_, err = w.client.Events(namespace).Create(ctx, event, metav1.CreateOptions{})
		if err == nil || apierrors.IsAlreadyExists(err) || namespaceGoes(err) || ctx.Err() != nil {
			return
		}
		if status, ok := errors.AsType[*apierrors.StatusError](err); ok && status.Status().Code < http.StatusInternalServerError {
			break // another try would be refused too
		}
		wait(ctx, w.retry)
	}
	logf.FromContext(ctx).Error(err, "an event can't be written", "namespace", namespace, "kind", e.regarding.Kind, "name", e.regarding.Name, "reason", e.reason)
}

// namespaceGoes reports whether a namespace doesn't take an object since it is being deleted, or
// is gone.
func namespaceGoes(err error) bool {
	return apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) || apierrors.IsNotFound(err)
}
