package declared

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"embargo.dev/policies/v1alpha1"
)

const policy = `apiVersion: embargo.dev/v1alpha1
kind: VendorPolicy
metadata: {name: production, labels: {team: platform}}
spec: {audiences: [us-persons], enforcement: Warn}
`

func TestAnEntryBecomesALabelledObject(t *testing.T) {
	entries, names, problems := parse(map[string]string{"vendorpolicy.production.yaml": policy})
	require.Empty(t, problems)
	require.Len(t, entries, 1)
	assert.Equal(t, map[id]bool{{"VendorPolicy", "production"}: true}, names)
	assert.Equal(t, map[string]string{"team": "platform", "embargo.dev/list": "values"}, entries[0].object.GetLabels())
	enforcement, _, err := unstructured.NestedString(entries[0].object.Object, "spec", "enforcement")
	require.NoError(t, err)
	assert.Equal(t, "Warn", enforcement)
	_, set, err := unstructured.NestedFieldNoCopy(entries[0].object.Object, "spec", "leadTimeDays")
	require.NoError(t, err)
	assert.False(t, set, "what the values leave out is left to the defaults")
}

func TestABadEntryIsNamedAndTheRestIsRead(t *testing.T) {
	entries, names, problems := parse(map[string]string{
		"vendorpolicy.production.yaml":  policy,
		"vendorpolicy.misspelt.yaml":    "apiVersion: embargo.dev/v1alpha1\nkind: VendorPolicy\nmetadata: {name: misspelt}\nspec: {audience: [us-persons]}\n",
		"vendorpolicy.other.yaml":       policy,
		"restrictedvendor.acme.yaml":    policy,
		"vendorwaiver.unreadable.yaml":  "{",
		"restrictedvendor.twofold.yaml": "kind: a\nkind: b\n",
	})
	assert.Len(t, entries, 1)
	assert.Len(t, names, 6, "none of them may be deleted")
	require.Len(t, problems, 5)
	require.ErrorContains(t, problemOf(problems, "vendorpolicy.misspelt.yaml"), `unknown field "spec.audience"`)
	require.ErrorContains(t, problemOf(problems, "vendorpolicy.other.yaml"), `the object is VendorPolicy "production" of embargo.dev/v1alpha1, and the key says VendorPolicy "other"`)
	require.ErrorContains(t, problemOf(problems, "restrictedvendor.acme.yaml"), "unknown field")
	require.ErrorContains(t, problemOf(problems, "vendorwaiver.unreadable.yaml"), "reading the object")
	require.ErrorContains(t, problemOf(problems, "restrictedvendor.twofold.yaml"), `key "kind" already set`)
}

func problemOf(problems []problem, key string) error {
	for _, p := range problems {
		if p.key == key {
			return p.err
		}
	}
	return nil
}

func TestAnUnreadableKeyKeepsEverything(t *testing.T) {
	for _, key := range []string{"policy.production.yaml", "vendorpolicy.production", "vendorpolicy..yaml", "vendorpolicy.Production.yaml", "notes"} {
		_, names, problems := parse(map[string]string{key: policy, "vendorpolicy.production.yaml": policy})
		assert.Nil(t, names, "%s: what it meant to declare is unknown, so nothing may be deleted", key)
		assert.ErrorContains(t, problemOf(problems, key), "the key names no object; want restrictedvendor.NAME.yaml")
	}
}

func TestOthersAreThoseWhoOwnSomeOfTheSpec(t *testing.T) {
	object := &v1alpha1.VendorPolicy{}
	fields := metav1.NewFieldsV1
	object.SetManagedFields([]metav1.ManagedFieldsEntry{
		{Manager: FieldManager, FieldsV1: fields(`{"f:spec":{}}`)},
		{Manager: "embargo", Subresource: "status", FieldsV1: fields(`{"f:status":{}}`)},
		{Manager: "labeller", FieldsV1: fields(`{"f:metadata":{}}`)},
		{Manager: "kubectl-edit", FieldsV1: fields(`{"f:spec":{"f:enforcement":{}}}`)},
		{Manager: "kubectl-edit", FieldsV1: fields(`{"f:spec":{"f:leadTimeDays":{}}}`)},
		{Manager: "broken", FieldsV1: fields(`{`)},
	})
	assert.Equal(t, []string{"broken", "kubectl-edit"}, others(object))
}
