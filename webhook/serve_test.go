package webhook_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"embargo.dev/policies"
	"embargo.dev/policies/workload"
	"embargo.dev/test/scenario"
	"embargo.dev/webhook"
	"embargo.dev/webhook/limits"
)

func ownerKind(o *workload.OwnerReference) schema.GroupKind {
	return schema.FromAPIVersionAndKind(o.APIVersion, o.Kind).GroupKind()
}

func post(t *testing.T, w *webhook.Workloads, review *admissionv1.AdmissionReview) *httptest.ResponseRecorder {
	t.Helper()
	body, err := json.Marshal(review)
	require.NoError(t, err)
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/validate", bytes.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	webhook.Serve(w, limits.New()).ServeHTTP(recorder, request)
	return recorder
}

// TestWhatCannotBeDecidedIsNoRefusal: a refusal counts whatever the failurePolicy, an
// HTTP error doesn't.
func TestWhatCannotBeDecidedIsNoRefusal(t *testing.T) {
	var owned *scenario.Scenario
	scenarios, err := scenario.Load(scenarioDir)
	require.NoError(t, err)
	for _, s := range scenarios {
		if request, err := s.Request(); err == nil && request.Object.Controller != nil && workload.Builtin(ownerKind(request.Object.Controller)) && len(s.At) > len(time.DateOnly) {
			owned = s
			break
		}
	}
	require.NotNil(t, owned)
	rules, _ := owned.RuleSet()
	instant, err := time.Parse(time.RFC3339, owned.At)
	require.NoError(t, err)
	review, err := owned.Review()
	require.NoError(t, err)
	unread := broken(t)
	w := &webhook.Workloads{
		Rules: func() *policies.RuleSet { return rules }, Clock: func() time.Time { return instant },
		Cache: unread, Live: unread, Covered: workload.Builtin,
	}
	answer := post(t, w, review)
	assert.Equal(t, http.StatusInternalServerError, answer.Code)
	assert.Contains(t, answer.Body.String(), "etcd is on holiday")

	w.Covered = func(schema.GroupKind) bool { return false }
	answer = post(t, w, review)
	assert.Equal(t, http.StatusOK, answer.Code)
	var decided admissionv1.AdmissionReview
	require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &decided))
	assert.Equal(t, review.Request.UID, decided.Response.UID)
}
