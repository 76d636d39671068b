package admission_test

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// gadget is a resource with a pod template in one version, and a plain string in the
// other: only converted does it look like what it is.
const gadget = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  names: {plural: gadgets, singular: gadget, kind: Gadget, listKind: GadgetList}
  scope: Namespaced
  conversion: {strategy: Webhook, webhook: {conversionReviewVersions: [v1], clientConfig: {url: %q, caBundle: %q}}}
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {containers: {type: array, items: {type: object, properties: {image: {type: string}}}}}}}}}}
    - {name: v1beta1, served: true, storage: false, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {runs: {type: string}}}}}}}
`

// conversion is as much of a ConversionReview as is needed.
type conversion struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Request    *struct {
		UID               string           `json:"uid"`
		DesiredAPIVersion string           `json:"desiredAPIVersion"`
		Objects           []map[string]any `json:"objects"`
	} `json:"request,omitempty"`
	Response *converted `json:"response,omitempty"`
}

type converted struct {
	UID              string           `json:"uid"`
	ConvertedObjects []map[string]any `json:"convertedObjects"`
	Result           map[string]any   `json:"result"`
}

func convertGadgets(w http.ResponseWriter, r *http.Request) {
	var review conversion
	if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer := &converted{UID: review.Request.UID, Result: map[string]any{"status": "Success"}}
	for _, object := range review.Request.Objects {
		object["apiVersion"] = review.Request.DesiredAPIVersion
		spec, _ := object["spec"].(map[string]any)
		switch containers, ok := spec["containers"].([]any); {
		case ok && len(containers) > 0:
			object["spec"] = map[string]any{"runs": containers[0].(map[string]any)["image"]}
		case spec["runs"] != nil:
			object["spec"] = map[string]any{"containers": []any{map[string]any{"image": spec["runs"]}}}
		}
		answer.ConvertedObjects = append(answer.ConvertedObjects, object)
	}
	review.Request, review.Response = nil, answer
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(review)
}

// TestAVersionWithoutATemplateIsConverted writes the version of a resource whose schema
// has no pod template.
func TestAVersionWithoutATemplateIsConverted(t *testing.T) {
	ns := namespace(t)
	server := httptest.NewTLSServer(http.HandlerFunc(convertGadgets))
	t.Cleanup(server.Close)
	ca := base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	define(t, write(t, "gadget.yaml", fmt.Sprintf(gadget, server.URL, ca)), "gadgets.example.com")
	awaitCovered(t, "gadgets.example.com", true)
	object := func(image string) string {
		return fmt.Sprintf("apiVersion: example.com/v1beta1\nkind: Gadget\nmetadata: {name: g}\nspec: {runs: %q}\n", image)
	}
	output, err := kubectlWith(t, object(restricted), "-n", ns, "create", "-f", "-")
	require.Error(t, err, output)
	assert.Contains(t, output, `"templates.embargo.dev" denied the request: spec.containers[0].image`)
	output, err = kubectlWith(t, object("nginx"), "-n", ns, "create", "-f", "-")
	require.NoError(t, err, output)
	output, err = kubectl(t, "-n", ns, "patch", "gadgets.v1beta1.example.com", "g", "--type=merge", `-p={"spec":{"runs":"`+restricted+`"}}`)
	require.Error(t, err, output)
	assert.Contains(t, output, "refused by cluster policy")
}
