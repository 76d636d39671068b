package webhook_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"embargo.dev/policies"
	"embargo.dev/policies/workload"
	"embargo.dev/test/scenario"
	"embargo.dev/webhook"
)

const scenarioDir = "../policies/testdata/scenarios"

func newScheme(t *testing.T) *runtime.Scheme {
	t.Helper()
	scheme := runtime.NewScheme()
	require.NoError(t, clientgoscheme.AddToScheme(scheme))
	require.NoError(t, metav1.AddMetaToScheme(scheme))
	return scheme
}

// TestTheWebhookDecidesAsTheEvaluator runs every scenario as an AdmissionReview, with
// owner and namespace in a cluster from which the webhook has to read them.
func TestTheWebhookDecidesAsTheEvaluator(t *testing.T) {
	scenarios, err := scenario.Load(scenarioDir)
	require.NoError(t, err)
	for _, s := range scenarios {
		if len(s.At) == len(time.DateOnly) {
			continue // a webhook has instants only
		}
		t.Run(s.Name(scenarioDir), func(t *testing.T) {
			rules, _ := s.RuleSet()
			request, err := s.Request()
			require.NoError(t, err)
			instant, err := s.Instant()
			require.NoError(t, err)
			want := rules.Evaluate(request, instant)

			response := handle(t, s, rules)
			require.Equal(t, !want.Denied(), response.Allowed)
			assert.Equal(t, string(want.Action), response.AuditAnnotations["decision"])
			assert.Equal(t, rules.Digest(), response.AuditAnnotations["rule-set"])
			if want.Denied() {
				assert.Equal(t, want.Denial(), response.Result.Message)
				assert.Equal(t, metav1.StatusReasonForbidden, response.Result.Reason)
				assert.EqualValues(t, 403, response.Result.Code)
				assert.NotEmpty(t, response.Result.Details.Causes)
				assert.LessOrEqual(t, len(response.Result.Message), 800)
				assert.Empty(t, response.Warnings)
			} else if !policies.BuiltinController(request.User) {
				assert.Equal(t, want.Warnings(), response.Warnings)
			} else {
				assert.Empty(t, response.Warnings, "nobody reads what built-in controllers are warned of")
			}
		})
	}
}

func handle(t *testing.T, s *scenario.Scenario, rules *policies.RuleSet) admission.Response {
	t.Helper()
	var objects []client.Object
	for _, o := range s.Surroundings() {
		if o.GroupVersionKind().Group != "example.com" { // a kind that nobody checks, nor can read
			objects = append(objects, o)
		}
	}
	cluster := fake.NewClientBuilder().WithScheme(newScheme(t)).WithObjects(objects...).Build()
	instant, err := time.Parse(time.RFC3339, s.At)
	require.NoError(t, err)
	w := &webhook.Workloads{
		Rules:   func() *policies.RuleSet { return rules },
		Clock:   func() time.Time { return instant },
		Cache:   cluster,
		Live:    cluster,
		Covered: workload.Builtin,
	}
	if s.Trusted {
		w.TrustedControllers = []string{s.User.Name}
	}
	review, err := s.Review()
	require.NoError(t, err)
	return w.Handle(t.Context(), admission.Request{AdmissionRequest: *review.Request})
}

func TestNothingIsDecidedWithoutARuleSet(t *testing.T) {
	w := &webhook.Workloads{Rules: func() *policies.RuleSet { return nil }, Clock: time.Now}
	response := w.Handle(t.Context(), admission.Request{})
	assert.False(t, response.Allowed)
	assert.EqualValues(t, 503, response.Result.Code)
}
