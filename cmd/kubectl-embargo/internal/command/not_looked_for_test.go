package command

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"embargo.dev/cmd/kubectl-embargo/internal/cluster"
	"embargo.dev/cmd/kubectl-embargo/internal/manifest"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

func TestVendorsOfWhichNothingCanBeFoundAreNamed(t *testing.T) {
	vendor := func(name, audience string, patterns ...v1alpha1.RepositoryPattern) v1alpha1.RestrictedVendor {
		return v1alpha1.RestrictedVendor{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.RestrictedVendorSpec{
			DisplayName: name, Images: v1alpha1.VendorImages{Repositories: patterns},
			Restrictions: []v1alpha1.Restriction{{
				Name: "r", Audience: audience, TimeZone: "UTC", Citations: []v1alpha1.Citation{{Title: "1"}},
				Schedule: []v1alpha1.Phase{{Phase: "p", Effective: "2020-01-01", Introduce: "Deny", Update: "Deny", Continue: "Warn"}},
			}},
		}}
	}
	found := vendor("found", "us-persons", v1alpha1.RepositoryPattern{Pattern: "found/**"})
	faceless, foreign := vendor("faceless", "us-persons"), vendor("foreign", "uk-government", v1alpha1.RepositoryPattern{Pattern: "foreign/**"})
	policy := v1alpha1.VendorPolicy{ObjectMeta: metav1.ObjectMeta{Name: "default"}, Spec: v1alpha1.VendorPolicySpec{Audiences: []string{"us-persons"}}}
	for name, test := range map[string]struct {
		vendors  []v1alpha1.RestrictedVendor
		policies []v1alpha1.VendorPolicy
		given    []string
		notices  []string
		want     []string
	}{
		"all are looked for": {[]v1alpha1.RestrictedVendor{found}, []v1alpha1.VendorPolicy{policy}, nil, nil, nil},
		"some are not": {[]v1alpha1.RestrictedVendor{found, faceless, foreign}, []v1alpha1.VendorPolicy{policy}, nil, []string{
			"not looked for, since nothing on the list recognises their images: faceless",
			"not looked for, since no VendorPolicy applies a restriction of theirs: foreign",
		}, []string{"faceless", "foreign"}},
		"a list that is given": {[]v1alpha1.RestrictedVendor{faceless, foreign}, []v1alpha1.VendorPolicy{policy}, []string{"RestrictedVendor/faceless"}, []string{
			"not looked for, since no VendorPolicy applies a restriction of theirs: foreign",
		}, []string{"faceless", "foreign"}},
		"there is no policy, which another notice says": {[]v1alpha1.RestrictedVendor{found, foreign}, nil, nil, nil, []string{"found", "foreign"}},
	} {
		t.Run(name, func(t *testing.T) {
			set, problems := policies.Compile(policies.Source{Vendors: test.vendors, Policies: test.policies})
			require.Empty(t, problems)
			given := map[string]manifest.Object{}
			for _, key := range test.given {
				given[key] = manifest.Object{}
			}
			s := &survey{set: set, vendors: test.vendors, cluster: &cluster.Cluster{Name: "staging"}}
			s.noteNotLookedFor(given)
			assert.Equal(t, test.notices, s.notices)
			assert.Equal(t, test.want, (&live{surveys: []*survey{s}}).notLookedFor())
			for _, one := range (&live{surveys: []*survey{s}, contexts: []string{"staging", "production"}}).notLookedFor() {
				assert.Contains(t, one, " (staging)")
			}
		})
	}
}
