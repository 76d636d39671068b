package catalog_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/policies"
	"embargo.dev/policies/catalog"
	"embargo.dev/policies/v1alpha1"
)

func TestTheListIsFitToShip(t *testing.T) {
	vendors, err := catalog.Vendors()
	require.NoError(t, err)
	assert.Len(t, vendors, len(catalog.Names()))
	for i, v := range vendors {
		assert.Equal(t, catalog.Names()[i], v.Name)
		assert.Equal(t, "builtin", v.Labels["embargo.dev/list"], v.Name)
		assert.Empty(t, policies.ValidateRestrictedVendor(&v), v.Name)
		assert.NotEmpty(t, v.Spec.Entities, v.Name)
		for _, r := range v.Spec.Restrictions {
			assert.NotEmpty(t, r.Scope, "%s/%s says what it covers and leaves out", v.Name, r.Name)
			require.NotEmpty(t, r.Citations, "%s/%s", v.Name, r.Name)
			for _, c := range r.Citations {
				assert.True(t, strings.HasPrefix(c.URL, "https://"), c.URL)
			}
			for _, p := range r.Schedule {
				assert.NotEmpty(t, p.Verification, "%s/%s %s: say whether the date was read in a source", v.Name, r.Name, p.Phase)
				assert.NotEqual(t, v1alpha1.ActionDeny, p.Continue, "%s/%s: no default may stop a restart", v.Name, r.Name)
				assert.NotEmpty(t, p.Summary, "%s/%s %s", v.Name, r.Name, p.Phase)
				assert.LessOrEqual(t, len(p.Summary), 60, "%s/%s %s: a warning has no room for more", v.Name, r.Name, p.Phase)
			}
		}
	}
}

func TestAudiences(t *testing.T) {
	assert.Equal(t, []string{
		"au-commonwealth", "ca-federal", "de-advised", "it-public-administration", "lt-critical", "nl-government", "uk-government",
		"us-dod", "us-exporters", "us-fcc-funded", "us-federal", "us-federal-civilian", "us-federal-contractors", "us-persons",
	}, catalog.Audiences())
}

func TestDefaultPolicy(t *testing.T) {
	p := catalog.DefaultPolicy()
	assert.Equal(t, "default", p.Name)
	assert.Equal(t, []string{"us-persons"}, p.Spec.Audiences)
	assert.Equal(t, v1alpha1.ActionDeny, p.Spec.Enforcement)
}
