package webhook

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"embargo.dev/policies"
	"embargo.dev/webhook/limits"
)

// Workloads decides requests for objects that carry images.
type Workloads struct {
	// Rules returns the rule set in force, nil before the first is compiled.
	Rules func() *policies.RuleSet
	// Clock tells the instant of a request.
	Clock func() time.Time
	// Cache has the metadata of namespaces.
	Cache client.Reader
	// Live reads from the API server: controller owners, their
	// ControllerRevisions, and namespaces that the cache lacks.
	Live client.Reader
	// Covered says whether objects of a kind are sent to Embargo when they are
	// written: only those can carry an image.
	Covered func(schema.GroupKind) bool
	// TrustedControllers are the users whose children continue what their owner
	// stands for.
	TrustedControllers []string
}

var _ admission.Handler = &Workloads{}

var errNoRules = errors.New("no rule set is compiled yet")

// liveTimeout bounds the reads that a decision may need, well within the five
// seconds that the API server waits.
const liveTimeout = 3 * time.Second

// Handle decides the request at the instant of its arrival.
func (w *Workloads) Handle(ctx context.Context, review admission.Request) admission.Response {
	instant := policies.At(w.Clock())
	rules := w.Rules()
	if rules == nil {
		return errored(http.StatusServiceUnavailable, errNoRules)
	}
	request, err := NewRequest(&review.AdmissionRequest)
	if err != nil {
		return errored(http.StatusBadRequest, err)
	}
	request.Trusted = slices.Contains(w.TrustedControllers, request.User.Name)
	decision, err := w.Decide(ctx, rules, request, instant)
	if errors.Is(err, limits.ErrTooManyReads) {
		return errored(http.StatusTooManyRequests, err) // unlogged: it is a flood
	}
	if err != nil {
		logf.FromContext(ctx).Error(err, "can't decide", "kind", review.Kind.Kind, "namespace", review.Namespace, "name", review.Name, "user", review.UserInfo.Username)
		return errored(http.StatusInternalServerError, err)
	}
	record(ctx, &review.AdmissionRequest, request.Object.Name, decision)
	return respond(&review.AdmissionRequest, decision)
}

// Decide evaluates the request with as little reading as its answer allows. What
// is unknown at first can only make the decision stronger: a namespace that is
// unknown counts as selected, an owner that is unread carries nothing. So a
// request without findings needs nothing read from the API server.
func (w *Workloads) Decide(ctx context.Context, rules *policies.RuleSet, request policies.Request, instant policies.Instant) (policies.Decision, error) {
	request.Namespace = namespaceIn(ctx, w.Cache, request.Namespace.Name)
	decision := rules.Evaluate(request, instant)
	unknown := request.Namespace.Name != "" && !request.Namespace.Known
	owned := request.Object.Controller != nil && bringsSomething(decision)
	if len(decision.Findings) == 0 || !unknown && !owned {
		return decision, nil
	}
	ctx, cancel := context.WithTimeout(ctx, liveTimeout)
	defer cancel()
	if unknown {
		request.Namespace = namespaceIn(ctx, w.Live, request.Namespace.Name)
	}
	if owned {
		carried, err := w.carried(ctx, request.Namespace.Name, request.Object.Controller)
		if err != nil {
			return policies.Decision{}, err
		}
		request.Carried = carried
	}
	return rules.Evaluate(request, instant), nil
}

// bringsSomething reports whether some image is not yet known to continue.
func bringsSomething(d policies.Decision) bool {
	return slices.ContainsFunc(d.Findings, func(f policies.Finding) bool { return f.Use != policies.UseContinue })
}
