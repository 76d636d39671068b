package policies_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// TestRestrictionsInForce counts them before and after their phases begin, with and without a
// lead time.
func TestRestrictionsInForce(t *testing.T) {
	s := source(t)
	s.Vendors = []v1alpha1.RestrictedVendor{*kaspersky(&s)}
	v := &s.Vendors[0]
	v.Spec.Restrictions = v.Spec.Restrictions[:1]
	v.Spec.Restrictions[0].Audience, v.Spec.Restrictions[0].TimeZone = "us-persons", "UTC"
	v.Spec.Restrictions[0].Schedule = []v1alpha1.Phase{
		{Phase: "free", Effective: "2024-01-01", Introduce: "Allow", Update: "Allow", Continue: "Allow"},
		{Phase: "announced", Effective: "2024-06-01", Introduce: "Warn", Update: "Allow", Continue: "Allow"},
	}
	count := func(at string) int {
		rules, problems := policies.Compile(s)
		require.Empty(t, problems)
		return rules.RestrictionsInForce(instant(t, at))
	}
	assert.Equal(t, 0, count("2023-12-31T00:00:00Z"))
	assert.Equal(t, 0, count("2024-03-01T00:00:00Z"), "a phase that allows all")
	assert.Equal(t, 0, count("2024-05-31T23:59:59Z"))
	assert.Equal(t, 1, count("2024-06-01T00:00:00Z"))
	s.Policies[0].Spec.LeadTimeDays = 30
	assert.Equal(t, 1, count("2024-05-02T00:00:00Z"))
	s.Policies[0].Spec.Audiences = []string{"uk-government"}
	assert.Equal(t, 0, count("2024-06-01T00:00:00Z"), "no policy applies it")
}

func TestObjectsAreCountedAsTheyCompile(t *testing.T) {
	s := source(t)
	bad := s.Policies[0]
	bad.Name, bad.Spec.LeadTimeDays = "bad", -1
	s.Policies = append(s.Policies, bad)
	s.Waivers = []v1alpha1.VendorWaiver{waiver("a", "2025-01-01T00:00:00Z")}
	rules, _ := policies.Compile(s)
	assert.Equal(t, map[string]int{"RestrictedVendor": len(s.Vendors), "VendorPolicy": 1, "VendorWaiver": 1}, rules.Objects())

	empty, _ := policies.Compile(policies.Source{})
	assert.Equal(t, map[string]int{"RestrictedVendor": 0, "VendorPolicy": 0, "VendorWaiver": 0}, empty.Objects(), "none is a number, too")
	assert.Zero(t, empty.RestrictionsInForce(time.Now()))
}
