package policies

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"embargo.dev/policies/imageref"
	"embargo.dev/policies/v1alpha1"
)

// ValidateRestrictedVendor says what of a vendor doesn't compile: exactly what
// Compile would leave out of force.
func ValidateRestrictedVendor(v *v1alpha1.RestrictedVendor) field.ErrorList {
	_, problems := Compile(Source{Vendors: []v1alpha1.RestrictedVendor{*v}})
	return fieldErrors(problems)
}

// ValidateVendorPolicy says what of a policy doesn't compile, and which of its
// mirrors would form a loop with one another or with those of the other policies.
func ValidateVendorPolicy(p *v1alpha1.VendorPolicy, others []v1alpha1.VendorPolicy) field.ErrorList {
	_, problems := Compile(Source{Policies: []v1alpha1.VendorPolicy{*p}})
	errs := fieldErrors(problems)
	path := field.NewPath("spec", "mirrors")
	own, mirrorErrs := parseMirrors(path, p.Spec.Mirrors)
	if len(mirrorErrs) > 0 {
		return errs
	}
	all := slices.Clone(own)
	for i := range others {
		if others[i].Name != p.Name {
			mirrors, _ := parseMirrors(path, others[i].Spec.Mirrors)
			all = append(all, mirrors...)
		}
	}
	loop := imageref.FindLoop(all)
	if len(loop) == 0 || loop[0] >= len(own) {
		return errs
	}
	var way []string
	for _, i := range loop {
		way = append(way, all[i].Prefix()+" → "+all[i].Upstream())
	}
	return append(errs, field.Invalid(path.Index(loop[0]), own[loop[0]].Prefix(),
		"mirrors must not lead back to where they began: "+strings.Join(way, ", ")))
}

// ValidateVendorWaiver says what of a waiver doesn't compile, and refuses a change of
// its expiry to an instant that has passed. One that is created expired is accepted, so
// that backups restore; ExpiredVendorWaiver warns of it.
func ValidateVendorWaiver(w, old *v1alpha1.VendorWaiver, now time.Time) field.ErrorList {
	_, problems := Compile(Source{Waivers: []v1alpha1.VendorWaiver{*w}})
	errs := fieldErrors(problems)
	spec := field.NewPath("spec")
	for _, required := range []struct{ name, text string }{{"reason", w.Spec.Reason}, {"approvedBy", w.Spec.ApprovedBy}} {
		if strings.TrimSpace(required.text) == "" {
			errs = append(errs, field.Required(spec.Child(required.name), "must not be blank"))
		}
	}
	if w.Spec.Vendor == "" {
		errs = append(errs, field.Required(spec.Child("vendor"), "the name of a RestrictedVendor"))
	}
	if len(w.Spec.Images) == 0 {
		errs = append(errs, field.Required(spec.Child("images"), "want at least one pattern of the images that are waived"))
	}
	if w.Spec.Expires.IsZero() {
		return append(errs, field.Required(spec.Child("expires"), "an RFC 3339 instant such as 2025-01-31T00:00:00Z"))
	}
	changed := old != nil && !old.Spec.Expires.Equal(&w.Spec.Expires)
	if changed && !w.Spec.Expires.After(now) {
		errs = append(errs, field.Invalid(spec.Child("expires"), w.Spec.Expires.UTC().Format(time.RFC3339),
			"must lie in the future; it is "+now.UTC().Format(time.RFC3339)))
	}
	return errs
}

func fieldErrors(problems []Problem) field.ErrorList {
	var errs field.ErrorList
	for _, p := range problems {
		errs = append(errs, p.Err)
	}
	return errs
}

// OddRestrictedVendor says what is right about a vendor but odd.
func OddRestrictedVendor(v *v1alpha1.RestrictedVendor) []string {
	images, spec := &v.Spec.Images, field.NewPath("spec")
	if len(images.Repositories)+len(images.Digests) == 0 {
		return []string{"spec.images has no pattern and no digest: no image will be found to be this vendor's"}
	}
	var odd []string
	for i := range images.Repositories {
		odd = append(odd, bareHost(spec.Child("images", "repositories").Index(i).Child("pattern"), images.Repositories[i].Pattern)...)
	}
	for i, text := range images.Exclude {
		odd = append(odd, bareHost(spec.Child("images", "exclude").Index(i), text)...)
	}
	return odd
}

// bareHost remarks on a pattern that looks like a registry's host and nothing else. As
// an image it would be one of Docker Hub's.
func bareHost(path *field.Path, pattern string) []string {
	name, _, _ := strings.Cut(pattern, ":")
	if strings.Contains(pattern, "/") || !strings.Contains(name, ".") {
		return nil
	}
	return []string{fmt.Sprintf("%s: %q is read as an image of Docker Hub's, docker.io/library/%s; to mean all of a registry write %s/**", path, pattern, pattern, pattern)}
}

// OddVendorPolicy says what is right about a policy but odd: audiences that no
// restriction of the selected vendors is for.
func OddVendorPolicy(p *v1alpha1.VendorPolicy, vendors []v1alpha1.RestrictedVendor) []string {
	selector, err := metav1.LabelSelectorAsSelector(&p.Spec.VendorSelector)
	if err != nil {
		return nil // told as a problem
	}
	served := map[string]bool{}
	for i := range vendors {
		if !selector.Matches(labels.Set(vendors[i].Labels)) {
			continue
		}
		for j := range vendors[i].Spec.Restrictions {
			served[vendors[i].Spec.Restrictions[j].Audience] = true
		}
	}
	var odd []string
	for i, audience := range p.Spec.Audiences {
		if !served[audience] {
			odd = append(odd, fmt.Sprintf("spec.audiences[%d]: no restriction of the selected vendors is for %q", i, audience))
		}
	}
	return odd
}

// ExpiredVendorWaiver warns of a waiver that has expired.
func ExpiredVendorWaiver(w *v1alpha1.VendorWaiver, now time.Time) []string {
	if w.Spec.Expires.After(now) {
		return nil
	}
	return []string{fmt.Sprintf("spec.expires: expired on %s: it covers nothing", w.Spec.Expires.UTC().Format(time.RFC3339))}
}

// OddVendorWaiver says what is right about a waiver but odd: a vendor or a
// restriction that isn't there, and a selector that only excludes.
func OddVendorWaiver(w *v1alpha1.VendorWaiver, vendors []v1alpha1.RestrictedVendor) []string {
	return append(selectsNewNamespaces(&w.Spec.NamespaceSelector), UnknownReferences(w, vendors)...)
}

// UnknownReferences names the vendor or the restrictions of a waiver that aren't there,
// so that it covers nothing of them.
func UnknownReferences(w *v1alpha1.VendorWaiver, vendors []v1alpha1.RestrictedVendor) []string {
	at := slices.IndexFunc(vendors, func(v v1alpha1.RestrictedVendor) bool { return v.Name == w.Spec.Vendor })
	if at < 0 {
		return []string{fmt.Sprintf("spec.vendor: there is no RestrictedVendor %q", w.Spec.Vendor)}
	}
	var unknown []string
	for i, name := range w.Spec.Restrictions {
		known := slices.ContainsFunc(vendors[at].Spec.Restrictions, func(r v1alpha1.Restriction) bool { return r.Name == name })
		if !known {
			unknown = append(unknown, fmt.Sprintf("spec.restrictions[%d]: %s has no restriction %q", i, w.Spec.Vendor, name))
		}
	}
	return unknown
}

// selectsNewNamespaces remarks on a selector that only excludes. Nearly every new
// namespace enters its waiver, so creating one takes the right to.
func selectsNewNamespaces(s *metav1.LabelSelector) []string {
	if !OnlyExcludes(s) {
		return nil
	}
	return []string{fmt.Sprintf("spec.namespaceSelector selects every namespace that is not left out by %q, new ones too: "+
		"creating one takes the verb exempt on this waiver, and isn't checked while Embargo is down; "+
		"name what it selects instead, such as matchLabels: {kubernetes.io/metadata.name: mail}", metav1.FormatLabelSelector(s))}
}
