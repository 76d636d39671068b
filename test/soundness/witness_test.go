package soundness_test

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	registrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"embargo.dev/test/random"
)

// witness is a webhook that admits everything and remembers what it was asked.
type witness struct {
	server *httptest.Server

	mu   sync.Mutex
	seen map[string]bool // by kind and name
}

func newWitness(t *testing.T) *witness {
	t.Helper()
	w := &witness{seen: map[string]bool{}}
	w.server = httptest.NewTLSServer(http.HandlerFunc(w.serve))
	t.Cleanup(w.server.Close)
	return w
}

func (w *witness) serve(answer http.ResponseWriter, r *http.Request) {
	var review admissionv1.AdmissionReview
	if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
		http.Error(answer, err.Error(), http.StatusBadRequest)
		return
	}
	w.mu.Lock()
	w.seen[review.Request.Kind.Kind+"/"+review.Request.Name] = true
	w.mu.Unlock()
	review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true}
	review.Request = nil
	answer.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(answer).Encode(review)
}

// saw reports whether the witness was asked about a workload since it was registered.
func (w *witness) saw(workload random.Workload) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen[workload.Kind.Kind+"/"+workload.Object.GetName()]
}

// register has the API server ask the witness about workloads that the expression holds
// for, and forgets what was seen before.
func (w *witness) register(t *testing.T, c client.Client, expression string) {
	t.Helper()
	fail, none := registrationv1.Fail, registrationv1.SideEffectClassNone
	url := w.server.URL + "/"
	rule := func(group string, resources ...string) registrationv1.RuleWithOperations {
		return registrationv1.RuleWithOperations{
			Operations: []registrationv1.OperationType{registrationv1.Create},
			Rule:       registrationv1.Rule{APIGroups: []string{group}, APIVersions: []string{"v1"}, Resources: resources},
		}
	}
	configuration := &registrationv1.ValidatingWebhookConfiguration{
		TypeMeta:   metav1.TypeMeta{APIVersion: registrationv1.SchemeGroupVersion.String(), Kind: "ValidatingWebhookConfiguration"},
		ObjectMeta: metav1.ObjectMeta{Name: "witness"},
		Webhooks: []registrationv1.ValidatingWebhook{{
			Name: "witness.embargo.dev", FailurePolicy: &fail, SideEffects: &none, AdmissionReviewVersions: []string{"v1"},
			ClientConfig:    registrationv1.WebhookClientConfig{URL: &url, CABundle: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.server.Certificate().Raw})},
			MatchConditions: []registrationv1.MatchCondition{{Name: "suspect", Expression: expression}},
			Rules: []registrationv1.RuleWithOperations{
				rule("", "pods", "podtemplates", "replicationcontrollers"),
				rule("apps", "deployments", "replicasets", "statefulsets", "daemonsets"),
				rule("batch", "jobs", "cronjobs"),
			},
		}},
	}
	require.NoError(t, c.Patch(t.Context(), configuration, client.Apply, client.FieldOwner("witness"), client.ForceOwnership)) //nolint:staticcheck // no apply configuration is at hand
	time.Sleep(propagation)
	w.mu.Lock()
	clear(w.seen)
	w.mu.Unlock()
}

// propagation is how long the API server may take to use what it stored: a few
// milliseconds were seen.
const propagation = 20 * time.Millisecond
