package lint

import (
	"k8s.io/apimachinery/pkg/util/validation/field"

	"embargo.dev/policies/v1alpha1"
)

// Across compares vendors with those before them.
type Across struct {
	places map[string]string // who listed a pattern or a digest first, and where
}

// Vendor says which patterns and digests of a vendor another one lists too. An image
// that is found by them counts as both vendors'.
func (a *Across) Vendor(v *v1alpha1.RestrictedVendor, place func(field string) string) []Problem {
	if a.places == nil {
		a.places = map[string]string{}
	}
	var problems []Problem
	images := field.NewPath("spec", "images")
	see := func(path *field.Path, text string) {
		if first, ok := a.places[text]; ok {
			problems = append(problems, warning(path, "%q is listed by %s too: such an image counts as both vendors'", text, first))
			return
		}
		a.places[text] = v.Name + " at " + place(path.String())
	}
	for i, r := range v.Spec.Images.Repositories {
		see(images.Child("repositories").Index(i).Child("pattern"), r.Pattern)
	}
	for i, digest := range v.Spec.Images.Digests {
		see(images.Child("digests").Index(i), digest)
	}
	return problems
}
