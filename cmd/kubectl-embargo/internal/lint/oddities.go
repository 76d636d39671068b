package lint

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"embargo.dev/policies/catalog"
	"embargo.dev/policies/v1alpha1"
)

// oddities says what is right about a vendor but odd.
func oddities(v *v1alpha1.RestrictedVendor) []Problem {
	spec := field.NewPath("spec")
	problems := append(builtInOddities(v), imageOddities(spec.Child("images"), &v.Spec.Images)...)
	confirmed := canConfirm(&v.Spec.Images)
	for i := range v.Spec.Restrictions {
		path := spec.Child("restrictions").Index(i)
		r := &v.Spec.Restrictions[i]
		problems = append(problems, restrictionOddities(path, r)...)
		for j := range r.Schedule {
			problems = append(problems, phaseOddities(path.Child("schedule").Index(j), &r.Schedule[j], confirmed)...)
		}
	}
	return problems
}

// The label of the built-in list, which the controller keeps.
const (
	listLabel   = "embargo.dev/list"
	listBuiltin = "builtin"
)

// builtInOddities says where a vendor would be taken for one of the built-in list.
func builtInOddities(v *v1alpha1.RestrictedVendor) []Problem {
	named, labelled := slices.Contains(catalog.Names(), v.Name), v.Labels[listLabel] == listBuiltin
	path := field.NewPath("metadata")
	switch {
	case named && !labelled:
		return []Problem{warning(path.Child("name"), "the built-in list has a vendor %q, which the controller applies: take another name for what you add to it", v.Name)}
	case labelled && !named:
		return []Problem{warning(path.Child("labels"), "%s: %s marks the built-in list, which has no vendor %q", listLabel, listBuiltin, v.Name)}
	}
	return nil
}

// canConfirm reports whether some image can be found to be the vendor's for sure, or
// none at all, which is odd enough.
func canConfirm(images *v1alpha1.VendorImages) bool {
	suspected := func(r v1alpha1.RepositoryPattern) bool { return r.Confidence == v1alpha1.ConfidenceSuspected }
	return len(images.Digests) > 0 || len(images.Repositories) == 0 ||
		slices.ContainsFunc(images.Repositories, func(r v1alpha1.RepositoryPattern) bool { return !suspected(r) })
}

func restrictionOddities(path *field.Path, r *v1alpha1.Restriction) []Problem {
	var problems []Problem
	if strings.TrimSpace(r.Scope) == "" {
		problems = append(problems, warning(path, "%s has no scope: say what the measure covers and what it leaves out", r.Name))
	}
	for i, c := range r.Citations {
		if !strings.HasPrefix(c.URL, "https://") && c.URL != "" {
			problems = append(problems, warning(path.Child("citations").Index(i).Child("url"), "%s is not read over https", c.URL))
		}
	}
	if known := catalog.Audiences(); r.Audience != "" && !slices.Contains(known, r.Audience) {
		problems = append(problems, warning(path.Child("audience"), "%q is none of the built-in list's audiences (%s): a policy has to name it in just this spelling",
			r.Audience, strings.Join(known, ", ")))
	}
	return problems
}

func phaseOddities(path *field.Path, p *v1alpha1.Phase, confirmed bool) []Problem {
	var problems []Problem
	if doubt := p.Verification.Doubt(); doubt != "" {
		problems = append(problems, warning(path.Child("verification"), "the date of %s is %s: read it in the primary text", p.Phase, doubt))
	}
	if strings.TrimSpace(p.Summary) == "" {
		problems = append(problems, warning(path, "%s has no summary: warnings and denials can't say what is prohibited", p.Phase))
	}
	if p.Continue == v1alpha1.ActionDeny {
		problems = append(problems, warning(path.Child("continue"), "Deny refuses the Pods of what runs already, after a restart or a drained node"))
	}
	if !confirmed && (p.Introduce == v1alpha1.ActionDeny || p.Update == v1alpha1.ActionDeny) {
		problems = append(problems, warning(path, "no pattern of the vendor is Confirmed, and a suspicion never denies: %s will only warn", p.Phase))
	}
	return problems
}
