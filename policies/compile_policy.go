package policies

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"embargo.dev/policies/imageref"
	"embargo.dev/policies/v1alpha1"
)

// policy adds a VendorPolicy and its mirrors. A policy that selects by something
// unreadable is not in force; a mirror in error alone is left out.
func (c *compiler) policy(object *v1alpha1.VendorPolicy) {
	spec := field.NewPath("spec")
	mirrors, mirrorErrs := parseMirrors(spec.Child("mirrors"), object.Spec.Mirrors)
	c.mirrors = append(c.mirrors, mirrors...)
	c.report(kindPolicy, object.Name, mirrorErrs)

	vendors, errs := compileSelector(spec.Child("vendorSelector"), &object.Spec.VendorSelector)
	namespaces, nsErrs := compileSelector(spec.Child("namespaceSelector"), &object.Spec.NamespaceSelector)
	errs = append(errs, nsErrs...)
	if !knownCeiling(object.Spec.Enforcement) {
		errs = append(errs, field.NotSupported(spec.Child("enforcement"), object.Spec.Enforcement, ceilings))
	}
	if days := object.Spec.LeadTimeDays; days < 0 || days > maxLeadDays {
		errs = append(errs, field.Invalid(spec.Child("leadTimeDays"), days, fmt.Sprintf("want 0 to %d days", maxLeadDays)))
	}
	if len(errs) > 0 {
		c.report(kindPolicy, object.Name, errs)
		return
	}
	audiences := make(map[string]bool, len(object.Spec.Audiences))
	for _, a := range object.Spec.Audiences {
		audiences[a] = true
	}
	c.set.policies = append(c.set.policies, &policy{
		name:       object.Name,
		vendors:    vendors.whole,
		namespaces: namespaces,
		audiences:  audiences,
		ceiling:    object.Spec.Enforcement,
		leadDays:   object.Spec.LeadTimeDays,
	})
}

// maxLeadDays is ten years.
const maxLeadDays = 3650

var ceilings = []v1alpha1.Action{v1alpha1.ActionAudit, v1alpha1.ActionWarn, v1alpha1.ActionDeny}

func knownCeiling(a v1alpha1.Action) bool {
	return slices.Contains(ceilings, a)
}

func parseMirrors(path *field.Path, declared []v1alpha1.Mirror) ([]imageref.Mirror, field.ErrorList) {
	var (
		mirrors []imageref.Mirror
		errs    field.ErrorList
	)
	for i, d := range declared {
		m, err := imageref.ParseMirror(d.Prefix, d.Upstream)
		if err != nil {
			errs = append(errs, field.Invalid(path.Index(i), d.Prefix+" → "+d.Upstream, err.Error()))
			continue
		}
		mirrors = append(mirrors, m)
	}
	return mirrors, errs
}

func compileSelector(path *field.Path, selector *metav1.LabelSelector) (namespaceSelector, field.ErrorList) {
	if errs := validation.ValidateLabelSelector(selector, validation.LabelSelectorValidationOptions{}, path); len(errs) > 0 {
		return namespaceSelector{}, errs
	}
	s, err := compileNamespaceSelector(selector)
	if err != nil {
		return namespaceSelector{}, field.ErrorList{field.Invalid(path, metav1.FormatLabelSelector(selector), err.Error())}
	}
	return s, nil
}

// waiver adds a VendorWaiver. One that selects namespaces by something
// unreadable, or by nothing, grants nothing; a pattern in error alone is left out.
func (c *compiler) waiver(object *v1alpha1.VendorWaiver) {
	spec := field.NewPath("spec")
	path, selector := spec.Child("namespaceSelector"), &object.Spec.NamespaceSelector
	namespaces, errs := compileSelector(path, selector)
	if len(selector.MatchLabels)+len(selector.MatchExpressions) == 0 {
		errs = append(errs, field.Required(path, "must select some namespaces, such as matchLabels: {kubernetes.io/metadata.name: mail}"))
	}
	if len(errs) > 0 {
		c.report(kindWaiver, object.Name, errs)
		return
	}
	w := &waiver{
		name:         object.Name,
		vendor:       object.Spec.Vendor,
		restrictions: make(map[string]bool, len(object.Spec.Restrictions)),
		namespaces:   namespaces,
		expires:      object.Spec.Expires.UTC(),
	}
	for _, r := range object.Spec.Restrictions {
		w.restrictions[r] = true
	}
	c.report(kindWaiver, object.Name, c.parsePatterns(spec.Child("images"), object.Spec.Images, role{kind: waives, waiver: w}))
	c.set.waivers = append(c.set.waivers, w)
}
