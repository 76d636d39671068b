package webhook

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	kubejson "sigs.k8s.io/json"
)

// TestBothDecodersReadAReviewAlike has all fields that a review has, and one that it
// hasn't.
func TestBothDecodersReadAReviewAlike(t *testing.T) {
	const text = `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u","kind":{"group":"apps","version":"v1","kind":"Deployment"},
		"resource":{"group":"apps","version":"v1","resource":"deployments"},"subResource":"scale","requestKind":{"group":"apps","version":"v1","kind":"Deployment"},
		"requestResource":{"group":"apps","version":"v1","resource":"deployments"},"requestSubResource":"scale","name":"n","namespace":"ns","operation":"UPDATE",
		"userInfo":{"username":"jane","uid":"1","groups":["a","b"],"extra":{"k":["v"]}},"object":{"a":[1,2.5,"x"]},"oldObject":{"a":null},"dryRun":true,
		"options":{"kind":"UpdateOptions"},"Name":"another","new":[{}]}}`
	got, err := decodeReview([]byte(text))
	require.NoError(t, err)
	want := &admissionv1.AdmissionReview{}
	require.NoError(t, kubejson.UnmarshalCaseSensitivePreserveInts([]byte(text), want))
	assert.Equal(t, want, got)
	assert.Equal(t, "n", got.Request.Name, "keys are compared exactly")
	assert.JSONEq(t, `{"a":[1,2.5,"x"]}`, string(got.Request.Object.Raw))

	twice, err := decodeReview([]byte(`{"kind":"x","kind":"AdmissionReview","request":{"name":"n"}}`))
	require.NoError(t, err)
	assert.Equal(t, "AdmissionReview", twice.Kind, "the last counts, as for the API server")
	assert.Equal(t, "n", twice.Request.Name)
	_, err = decodeReview([]byte(`{"request":{"name":1}}`))
	var mismatch *json.UnmarshalTypeError
	assert.ErrorAs(t, err, &mismatch)
}
