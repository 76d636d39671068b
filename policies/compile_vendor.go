package policies

import (
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"embargo.dev/policies/imageref"
	"embargo.dev/policies/schedule"
	"embargo.dev/policies/v1alpha1"
)

const (
	kindVendor = "RestrictedVendor"
	kindPolicy = "VendorPolicy"
	kindWaiver = "VendorWaiver"
)

// vendor adds a RestrictedVendor. A pattern, digest or restriction in error is
// left out; the vendor's others stay in force.
func (c *compiler) vendor(object *v1alpha1.RestrictedVendor) {
	v := &vendor{
		name:        object.Name,
		displayName: object.Spec.DisplayName,
		replacement: object.Spec.Replacement,
		labels:      object.Labels,
	}
	spec := field.NewPath("spec")
	c.report(kindVendor, v.name, c.images(spec.Child("images"), v, object.Spec.Images))
	seen := map[string]bool{}
	for i := range object.Spec.Restrictions {
		r := &object.Spec.Restrictions[i]
		path := spec.Child("restrictions").Index(i)
		if seen[r.Name] {
			c.report(kindVendor, v.name, field.ErrorList{field.Duplicate(path.Child("name"), r.Name)})
			continue
		}
		seen[r.Name] = true
		c.report(kindVendor, v.name, c.restriction(path, v, r))
	}
	c.set.vendors = append(c.set.vendors, v)
}

func (c *compiler) images(path *field.Path, v *vendor, images v1alpha1.VendorImages) field.ErrorList {
	var errs field.ErrorList
	for i, r := range images.Repositories {
		p, err := imageref.ParsePattern(r.Pattern)
		if err != nil {
			errs = append(errs, field.Invalid(path.Child("repositories").Index(i).Child("pattern"), r.Pattern, err.Error()))
			continue
		}
		if !slices.Contains(confidences, r.Confidence) {
			errs = append(errs, field.NotSupported(path.Child("repositories").Index(i).Child("confidence"), r.Confidence, confidences))
			continue
		}
		c.add(p, role{kind: recognises, vendor: v, confidence: r.Confidence})
	}
	errs = append(errs, c.parsePatterns(path.Child("exclude"), images.Exclude, role{kind: excludes, vendor: v})...)
	for i, text := range images.Digests {
		digest, err := imageref.ParseDigest(text)
		if err != nil {
			errs = append(errs, field.Invalid(path.Child("digests").Index(i), text, err.Error()))
			continue
		}
		c.set.digests[digest] = append(c.set.digests[digest], v)
	}
	return errs
}

var confidences = []v1alpha1.Confidence{v1alpha1.ConfidenceConfirmed, v1alpha1.ConfidenceSuspected}

// restriction adds a restriction, or none of it: a schedule or a scope of which
// a part is missing would restrict something else than what was written. An
// unreadable exclusion alone is left out, since that restricts more, not less.
func (c *compiler) restriction(path *field.Path, v *vendor, object *v1alpha1.Restriction) field.ErrorList {
	compiled, errs := schedule.Compile(path, object.TimeZone, object.Schedule)
	if object.Audience == "" {
		errs = append(errs, field.Required(path.Child("audience"), "who the measure binds, such as us-persons"))
	}
	r := &restriction{
		vendor:   v.name,
		name:     object.Name,
		audience: object.Audience,
		schedule: compiled,
		narrowed: len(object.AppliesTo.Patterns) > 0,
	}
	if len(object.Citations) > 0 {
		r.citation = object.Citations[0].Title
	}
	scope := path.Child("appliesTo")
	narrowing := c.parsePatterns(scope.Child("patterns"), object.AppliesTo.Patterns, role{kind: narrows, restriction: r})
	widening := c.parsePatterns(scope.Child("exclude"), object.AppliesTo.Exclude, role{kind: leavesOut, restriction: r})
	if len(errs) == 0 && len(narrowing) == 0 {
		v.restrictions = append(v.restrictions, r)
	}
	errs = append(errs, narrowing...)
	return append(errs, widening...)
}
