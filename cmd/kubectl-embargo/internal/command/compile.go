package command

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"embargo.dev/cmd/kubectl-embargo/internal/manifest"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// compile compiles the rules; what doesn't compile is told with its place.
func (r *rules) compile() *policies.RuleSet {
	set, problems := r.problems()
	for _, p := range problems {
		if o, given := r.places[p.Kind+"/"+p.Name]; given {
			r.broken(o.Error(p.Err.Field, p))
			continue
		}
		r.broken(&manifest.Error{File: "built-in list", Err: p})
	}
	return set
}

// problems compiles the rules. Among what is wrong are mirrors of given policies that lead
// back to where they began, which are no problem to the rule set.
func (r *rules) problems() (*policies.RuleSet, []policies.Problem) {
	set, problems := policies.Compile(r.source)
	for i := range r.source.Policies {
		p := &r.source.Policies[i]
		if _, given := r.places["VendorPolicy/"+p.Name]; !given {
			continue
		}
		for _, err := range policies.ValidateVendorPolicy(p, r.source.Policies) {
			told := func(o policies.Problem) bool {
				return o.Kind == policyKind.Kind && o.Name == p.Name && o.Err.Error() == err.Error()
			}
			if !slices.ContainsFunc(problems, told) {
				problems = append(problems, policies.Problem{Kind: policyKind.Kind, Name: p.Name, Err: err})
			}
		}
	}
	return set, problems
}

// maxLeadTime is the longest lead time, in days.
const maxLeadTime = 3650

// checkPolicy says what a cluster would refuse of a policy that compiles.
func (r *rules) checkPolicy(o manifest.Object, p *v1alpha1.VendorPolicy) {
	spec := field.NewPath("spec")
	var errs field.ErrorList
	if len(p.Spec.Audiences) == 0 {
		errs = append(errs, field.Required(spec.Child("audiences"), "want at least one"))
	}
	if days := p.Spec.LeadTimeDays; days < 0 || days > maxLeadTime {
		errs = append(errs, field.Invalid(spec.Child("leadTimeDays"), days, fmt.Sprintf("want 0 to %d", maxLeadTime)))
	}
	for _, err := range errs {
		r.broken(o.Error(err.Field, fmt.Errorf("VendorPolicy %q: %w", p.Name, err)))
	}
}

// validWaiver says what a cluster would refuse of a waiver. An expired one is
// accepted: what it covered in its time is a fair question.
func validWaiver(o manifest.Object, w *v1alpha1.VendorWaiver) []*manifest.Error {
	var errs []*manifest.Error
	refused := policies.ValidateVendorWaiver(w, w, time.Time{})
	if w.Spec.Vendor == "" {
		refused = append(refused, field.Required(field.NewPath("spec", "vendor"), "the name of a RestrictedVendor"))
	}
	if len(w.Spec.Images) == 0 {
		refused = append(refused, field.Required(field.NewPath("spec", "images"), "want at least one pattern"))
	}
	for _, err := range refused {
		errs = append(errs, o.Error(err.Field, fmt.Errorf("VendorWaiver %q: %w", w.Name, err)))
	}
	return slices.SortedFunc(slices.Values(errs), func(a, b *manifest.Error) int { return a.Line - b.Line })
}

// noteOddities notes what is right but odd: a misspelt audience would find nothing. Of
// vendors only those that files give are looked at, unless all are asked for: the built-in
// list has some on purpose that no image is recognised by.
func (r *rules) noteOddities(all bool) {
	note := func(kind, name string, odd []string) {
		for _, text := range odd {
			r.notices = append(r.notices, fmt.Sprintf("%s %q: %s", kind, name, text))
		}
	}
	for i := range r.source.Vendors {
		v := &r.source.Vendors[i]
		if _, given := r.places["RestrictedVendor/"+v.Name]; given || all {
			note("RestrictedVendor", v.Name, policies.OddRestrictedVendor(v))
		}
	}
	for i := range r.source.Policies {
		p := &r.source.Policies[i]
		note("VendorPolicy", p.Name, policies.OddVendorPolicy(p, r.source.Vendors))
	}
	for i := range r.source.Waivers {
		w := &r.source.Waivers[i]
		note("VendorWaiver", w.Name, policies.OddVendorWaiver(w, r.source.Vendors))
	}
}
