package random

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"embargo.dev/policies"
	"embargo.dev/policies/catalog"
	"embargo.dev/policies/v1alpha1"
)

// List is a rule set with the texts that it was made of.
type List struct {
	*policies.RuleSet
	Source   policies.Source
	patterns []string
	mirrors  []v1alpha1.Mirror
}

// NewList generates a rule set of one vendor with patterns, Confirmed and Suspected,
// and digests, and a policy with mirrors. Its phase is in force.
func NewList(t *rapid.T) *List {
	var images v1alpha1.VendorImages
	for range rapid.IntRange(1, 5).Draw(t, "patterns") {
		confidence := rapid.SampledFrom([]v1alpha1.Confidence{v1alpha1.ConfidenceConfirmed, v1alpha1.ConfidenceSuspected}).Draw(t, "confidence")
		images.Repositories = append(images.Repositories, v1alpha1.RepositoryPattern{Pattern: pattern(t), Confidence: confidence})
	}
	if rapid.IntRange(0, 2).Draw(t, "digest") == 0 {
		images.Digests = []string{Digest}
	}
	policy := catalog.DefaultPolicy()
	for range rapid.IntRange(0, 4).Draw(t, "mirrors") {
		policy.Spec.Mirrors = append(policy.Spec.Mirrors, mirror(t, policy.Spec.Mirrors))
	}
	phase := v1alpha1.Phase{Phase: "banned", Effective: "2020-01-01", Introduce: v1alpha1.ActionDeny, Update: v1alpha1.ActionDeny, Continue: v1alpha1.ActionWarn}
	vendor := v1alpha1.RestrictedVendor{ObjectMeta: metav1.ObjectMeta{Name: "acme"}, Spec: v1alpha1.RestrictedVendorSpec{
		DisplayName: "Acme", Images: images,
		Restrictions: []v1alpha1.Restriction{{Name: "ban", Audience: "us-persons", TimeZone: "UTC", Schedule: []v1alpha1.Phase{phase}}},
	}}
	// What doesn't compile is left out: the rest is in force.
	source := policies.Source{Vendors: []v1alpha1.RestrictedVendor{vendor}, Policies: []v1alpha1.VendorPolicy{policy}}
	rules, _ := policies.Compile(source)
	list := &List{RuleSet: rules, Source: source, mirrors: policy.Spec.Mirrors}
	for _, r := range images.Repositories {
		list.patterns = append(list.patterns, r.Pattern)
	}
	return list
}
