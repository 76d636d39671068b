package webhook

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"embargo.dev/policies"
	"embargo.dev/policies/workload"
)

var decisions = prometheus.NewCounterVec(prometheus.CounterOpts{
	Name: "embargo_decisions_total",
	Help: "Decisions on requests for workloads, by the strongest action, the operation and the resource.",
}, []string{"action", "operation", "resource"})

func init() { metrics.Registry.MustRegister(decisions) }

// recordDecision counts a decision. A dry run decides nothing that lasts and is
// not counted.
func recordDecision(review *admissionv1.AdmissionRequest, d policies.Decision) {
	if review.DryRun != nil && *review.DryRun {
		return
	}
	decisions.WithLabelValues(string(d.Action), operationLabel(review.Operation), resourceLabel(review)).Inc()
}

// operationLabel is the operation in lower case. Anybody who reaches the port may send a
// review, so that no label repeats what one says.
func operationLabel(operation admissionv1.Operation) string {
	switch operation {
	case admissionv1.Create, admissionv1.Update, admissionv1.Delete, admissionv1.Connect:
		return strings.ToLower(string(operation))
	default:
		return "other"
	}
}

// resourceLabel is the resource of a built-in kind: all of them have regular plurals.
// Any number of custom resources may carry pod templates, and share a label.
func resourceLabel(review *admissionv1.AdmissionRequest) string {
	if !workload.Builtin(schema.GroupKind{Group: review.Kind.Group, Kind: review.Kind.Kind}) {
		return "custom"
	}
	return strings.ToLower(review.Kind.Kind) + "s"
}
