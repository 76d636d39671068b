package policies_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// TestEnforcementTakesExactlyThreeWords: what the API server lists, and kubectl explain
// shows, is what is accepted.
func TestEnforcementTakesExactlyThreeWords(t *testing.T) {
	text, err := os.ReadFile("../config/crd/embargo.dev_vendorpolicies.yaml")
	require.NoError(t, err)
	var crd apiextensionsv1.CustomResourceDefinition
	require.NoError(t, yaml.Unmarshal(text, &crd))
	field := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties["enforcement"]
	var words []string
	for _, word := range field.Enum {
		words = append(words, string(word.Raw))
	}
	assert.Equal(t, []string{`"Audit"`, `"Warn"`, `"Deny"`}, words)
	for _, bad := range []v1alpha1.Action{"deny", "DENY", "Allow", "enforce"} {
		p := v1alpha1.VendorPolicy{Spec: v1alpha1.VendorPolicySpec{Audiences: []string{"us-persons"}, Enforcement: bad}}
		errs := policies.ValidateVendorPolicy(&p, nil)
		require.Len(t, errs, 1)
		assert.Equal(t, `spec.enforcement: Unsupported value: "`+string(bad)+`": supported values: "Audit", "Warn", "Deny"`, errs[0].Error())
	}
}
