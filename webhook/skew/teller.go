package skew

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/internal/logging"
	"embargo.dev/internal/trigger"
)

// Teller writes an event on Embargo's namespace, and a line in the log, when the clock
// of this replica comes apart from the API server's. Every replica tells for itself.
type Teller struct {
	Meter     *Meter
	Recorder  events.EventRecorder
	Namespace string
	// Forward is woken with every change that is told.
	Forward trigger.Trigger
}

// NeedLeaderElection says that every replica has a clock.
func (t *Teller) NeedLeaderElection() bool { return false }

// Start tells until the context ends.
func (t *Teller) Start(ctx context.Context) error {
	// Events about a cluster-scoped object belong to the namespace default; one with
	// a namespace of its own stays where the controller may write.
	regarding := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: t.Namespace, Namespace: t.Namespace}}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.Meter.Changed():
		}
		if t.Meter.Skewed() {
			logging.Warn(ctx, "the clock is apart from the API server's; phases begin by this clock", "ahead", t.Meter.Ahead().String())
			t.Recorder.Eventf(regarding, nil, corev1.EventTypeWarning, "ClockSkew", "CompareClocks",
				"the clock of a replica is %s ahead of the API server's; phases begin by it", t.Meter.Ahead())
		} else {
			logf.FromContext(ctx).Info("the clock agrees with the API server's again")
		}
		t.Forward.Fire()
	}
}
