package explanation

import (
	"slices"
	"time"

	"embargo.dev/policies"
	"embargo.dev/policies/imageref"
	"embargo.dev/policies/schedule"
	"embargo.dev/policies/v1alpha1"
)

// New tells of an image, with what the vendors' objects say beside the rules.
func New(x policies.Explanation, vendors []v1alpha1.RestrictedVendor) Image {
	img := Image{
		Image: x.Image, Problem: string(x.Problem), Reason: x.Reason,
		Mirrors: []Mirror{}, Matches: []Match{}, Vendors: []Vendor{},
	}
	if x.Problem != "" {
		img.correct(x)
		return img
	}
	written := x.Forms[0].Reference
	img.Canonical = written.String()
	img.Reference = &Reference{written.Host, written.Path, written.Tag, written.Digest}
	img.Tried = Tried(x.Tried)
	for _, f := range x.Forms {
		img.addForm(f)
	}
	for _, v := range x.Vendors {
		at := slices.IndexFunc(vendors, func(o v1alpha1.RestrictedVendor) bool { return o.Name == v.Name })
		img.Vendors = append(img.Vendors, newVendor(v, &vendors[at]))
	}
	if n := x.Nearest; n != nil {
		img.Nearest = &Nearest{n.Pattern, n.Vendor, n.Distance}
	}
	return img
}

// correct says what would be right about an image that can't be read.
func (img *Image) correct(x policies.Explanation) {
	if x.Problem != policies.EvidenceUnparsable {
		return
	}
	c := imageref.Correct(x.Image)
	if img.Advice = c.Advice; c.Known {
		img.Suggestion = c.Meant.String()
	}
}

func (img *Image) addForm(f policies.Form) {
	text := f.Reference.String()
	if f.Undone != nil {
		img.Mirrors = append(img.Mirrors, Mirror{f.Undone.Mirror.Prefix(), f.Undone.Mirror.Upstream(), text})
	}
	for _, m := range f.Matches {
		img.Matches = append(img.Matches, Match{text, m.Pattern, string(m.Purpose), m.Vendor, m.Restriction, m.Waiver, string(m.Confidence)})
	}
}

func newVendor(found policies.VendorFound, object *v1alpha1.RestrictedVendor) Vendor {
	v := Vendor{
		Vendor: found.Name, DisplayName: found.DisplayName, Replacement: found.Replacement,
		Evidence: string(found.Evidence), Confidence: string(found.Confidence),
		Patterns: []Pattern{}, Restrictions: []Restriction{},
	}
	for _, p := range found.Patterns {
		v.Patterns = append(v.Patterns, Pattern{p.Pattern, string(p.Confidence), p.Matched})
	}
	for _, r := range found.Restrictions {
		at := slices.IndexFunc(object.Spec.Restrictions, func(o v1alpha1.Restriction) bool { return o.Name == r.Name })
		v.Restrictions = append(v.Restrictions, newRestriction(r, &object.Spec.Restrictions[at]))
	}
	return v
}

func newRestriction(found policies.RestrictionFound, object *v1alpha1.Restriction) Restriction {
	r := Restriction{
		Restriction: found.Name, Authority: object.Authority, Audience: found.Audience, Scope: object.Scope,
		Citations: object.Citations, TimeZone: object.TimeZone, EvaluatedAt: found.EvaluatedAt,
		Applies: found.Applies, Evidence: string(found.Evidence), Confidence: string(found.Confidence),
		Policies: slices.Concat([]string{}, found.Policies), Waivers: []string{},
		Phase: newPhase(found.Phase, found.EvaluatedAt), Next: newPhase(found.Next, found.EvaluatedAt),
		Actions: Actions(found.Actions), NextActions: Actions(found.NextActions),
	}
	for _, w := range found.Waivers {
		r.Waivers, r.waiverEnds = append(r.Waivers, w.Name), append(r.waiverEnds, w.Ends)
	}
	if found.Early != nil {
		r.EarlyPhase = found.Early.Phase.Phase
	}
	return r
}

func newPhase(p *schedule.Phase, now time.Time) *Phase {
	if p == nil {
		return nil
	}
	return &Phase{p.Phase.Phase, p.Instant, p.Local(), p.Summary, p.Verification, p.Shown(now)}
}
