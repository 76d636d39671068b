package webhook

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
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
	got, err := readReview([]byte(text), nil)
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

// TestAForgedReviewTakesLittleMemory has texts of 2 MiB that are far larger when they are
// decoded: none is decoded before its cost is known.
func TestAForgedReviewTakesLittleMemory(t *testing.T) {
	const size = 2 << 20
	var names strings.Builder
	for i := 0; names.Len() < size; i++ {
		fmt.Fprintf(&names, `"%x":[],`, i)
	}
	many := func(value string) string { return "[" + strings.Repeat(value+",", size/(len(value)+1)) + value + "]" }
	for name, parts := range map[string]string{
		"causes in a response": `"response":{"status":{"details":{"causes":` + many("{}") + `}}},"request":{"uid":"u"}`,
		"groups":               `"request":{"userInfo":{"groups":` + many(`""`) + `}}`,
		"extra values":         `"request":{"userInfo":{"extra":{` + names.String() + `"last":[]}}}`,
		"names in an object":   `"request":{"object":{` + names.String() + `"last":[]}}`,
		"unknown names":        `"request":{"new":{` + names.String() + `"last":[]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			text := []byte(`{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1",` + parts + `}`)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := readReview(text, nil)
			runtime.ReadMemStats(&after)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4*size), "allocated")
			if strings.Contains(parts, "userInfo") {
				var refused *httpError
				require.ErrorAs(t, err, &refused)
				assert.Equal(t, http.StatusRequestEntityTooLarge, refused.code)
				return
			}
			assert.NoError(t, err)
		})
	}
}
