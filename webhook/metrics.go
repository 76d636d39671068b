package webhook

import (
	"context"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/policies/workload"
)

var (
	decisions = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "embargo_decisions_total",
		Help: "Decisions on requests for workloads, by the strongest action, the operation and the resource.",
	}, []string{"action", "operation", "resource"})
	restrictedRequests = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "embargo_restricted_requests_total",
		Help: "Requests that were refused or warned of, by vendor, restriction, action and use.",
	}, []string{"vendor", "restriction", "action", "use"})
	suppressedLines = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "embargo_suppressed_log_lines_total",
		Help: "Lines about reviews, such as refusals, that were not logged because there were too many at once.",
	})
)

func init() { metrics.Registry.MustRegister(decisions, restrictedRequests, suppressedLines) }

// record counts a decision and logs a refusal. A dry run decides nothing that lasts and is
// neither counted nor logged.
func record(ctx context.Context, review *admissionv1.AdmissionRequest, object string, d policies.Decision) {
	if review.DryRun != nil && *review.DryRun {
		return
	}
	decisions.WithLabelValues(string(d.Action), operationLabel(review.Operation), resourceLabel(review)).Inc()
	if len(d.Findings) == 0 {
		return
	}
	countRestricted(d.Findings)
	if d.Denied() {
		logDenial(ctx, review, object, d)
	}
}

// restricted is the labels of a series of restricted requests. All come from the rule set,
// and none from the request.
type restricted struct {
	vendor, restriction string
	action              v1alpha1.Action
	use                 policies.Use
}

// countRestricted counts a request once for each restriction, action and use, however many
// images it is about. Images that can't be read are of no vendor.
func countRestricted(findings []policies.Finding) {
	counted := map[restricted]bool{}
	for i := range findings {
		f := &findings[i]
		key := restricted{f.Vendor, f.Restriction, f.Action, f.Use}
		if f.Vendor == "" || counted[key] || f.Action != v1alpha1.ActionDeny && f.Action != v1alpha1.ActionWarn {
			continue
		}
		counted[key] = true
		restrictedRequests.WithLabelValues(f.Vendor, f.Restriction, string(f.Action), string(f.Use)).Inc()
	}
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
