package exemption

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// Verb is what a user needs on a VendorPolicy to take a namespace out of it, and on a
// VendorWaiver to bring one into it.
const Verb = "exempt"

// Resources on which the verb is checked.
const (
	Policies = "vendorpolicies"
	Waivers  = "vendorwaivers"
)

// kind is what a rule is. Its prefix stands before the rule's name in match conditions.
type kind string

const (
	policy kind = "p/"
	waiver kind = "w/"
	// exclusion is a waiver that only says which namespaces it doesn't select, so that
	// nearly every new one enters it.
	exclusion kind = "x/"
)

// rule is a policy or a waiver that a namespace can leave or enter.
type rule struct {
	kind     kind
	name     string
	selector labels.Selector
}

// Rules are all rules that namespaces can leave or enter.
type Rules struct {
	rules      []rule
	nextExpiry time.Time
}

// NewRules returns the rules that are in force at an instant. Policies that no namespace
// can leave, and waivers that have expired, aren't among them. Neither are those whose
// selector is invalid: they select nothing.
func NewRules(vendorPolicies []v1alpha1.VendorPolicy, waivers []v1alpha1.VendorWaiver, now time.Time) *Rules {
	r := &Rules{}
	for i := range vendorPolicies {
		p := &vendorPolicies[i]
		if s, err := metav1.LabelSelectorAsSelector(&p.Spec.NamespaceSelector); err == nil && canChange(s) {
			r.rules = append(r.rules, rule{policy, p.Name, s})
		}
	}
	for i := range waivers {
		w := &waivers[i]
		s, err := metav1.LabelSelectorAsSelector(&w.Spec.NamespaceSelector)
		if err != nil || s.Empty() || !w.Spec.Expires.After(now) {
			continue
		}
		kind := waiver
		if policies.OnlyExcludes(&w.Spec.NamespaceSelector) {
			kind = exclusion
		}
		r.rules = append(r.rules, rule{kind, w.Name, s})
		if r.nextExpiry.IsZero() || w.Spec.Expires.Time.Before(r.nextExpiry) {
			r.nextExpiry = w.Spec.Expires.Time
		}
	}
	return r
}

// canChange reports whether a change of labels can change what a selector says about a
// namespace. Nobody can change the label with the namespace's name.
func canChange(s labels.Selector) bool {
	requirements, _ := s.Requirements()
	return slices.ContainsFunc(requirements, func(r labels.Requirement) bool { return r.Key() != corev1.LabelMetadataName })
}

// NextExpiry is when the first waiver expires, zero where there is none. From then on the
// conditions send more than they need to.
func (r *Rules) NextExpiry() time.Time { return r.nextExpiry }

func (r *Rules) has(k kind) bool {
	return slices.ContainsFunc(r.rules, func(rule rule) bool { return rule.kind == k })
}
