package policies

import (
	"cmp"
	"slices"
	"time"

	"embargo.dev/policies/imageref"
	"embargo.dev/policies/schedule"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/policies/workload"
)

// Explain says how an image is read and what follows from it at an instant. It
// recognises, and hears the policies, with the very code of Evaluate.
func (rs *RuleSet) Explain(text string, instant Instant) Explanation {
	img := readImage(workload.Image{Value: text}, false)
	x := Explanation{Image: text, Problem: img.problem, Reason: img.reason}
	if img.problem != "" {
		return x
	}
	rec := rs.recognise(img.reference)
	x.Forms = rs.explainForms(&rec)
	x.Tried = Tried{Vendors: len(rs.vendors), Patterns: len(rs.recognising), Digests: len(rs.digests)}
	e := &evaluation{set: rs, request: &Request{Operation: Create}, instant: instant, policies: rs.policies}
	for _, v := range rec.vendors {
		x.Vendors = append(x.Vendors, e.explainVendor(&rec, v))
	}
	if len(rec.vendors) == 0 {
		x.Nearest = rs.nearest(&rec)
	}
	return x
}

func (rs *RuleSet) explainForms(rec *recognition) []Form {
	steps := rs.mirrors.Steps(rec.forms[0].reference)
	forms := make([]Form, 0, len(rec.forms))
	for i := range rec.forms {
		f := Form{Reference: rec.forms[i].reference}
		if i > 0 {
			f.Undone = &steps[i-1]
		}
		for _, r := range rec.forms[i].all() {
			f.Matches = append(f.Matches, r.explain())
		}
		slices.SortFunc(f.Matches, func(a, b Match) int {
			return cmp.Or(cmp.Compare(a.Vendor, b.Vendor), cmp.Compare(a.Purpose, b.Purpose), cmp.Compare(a.Restriction+a.Waiver, b.Restriction+b.Waiver), cmp.Compare(a.Pattern, b.Pattern))
		})
		forms = append(forms, f)
	}
	return forms
}

var purposes = map[roleKind]Purpose{
	recognises: PurposeRecognises, excludes: PurposeExcludes, narrows: PurposeNarrows, leavesOut: PurposeLeavesOut, waives: PurposeWaives,
}

func (r role) explain() Match {
	m := Match{Pattern: r.pattern, Purpose: purposes[r.kind], Confidence: r.confidence}
	if r.vendor != nil {
		m.Vendor = r.vendor.name
	}
	if r.restriction != nil {
		m.Vendor, m.Restriction = r.restriction.vendor, r.restriction.name
	}
	if r.waiver != nil {
		m.Waiver = r.waiver.name
	}
	return m
}

func (e *evaluation) explainVendor(rec *recognition, v *vendor) VendorFound {
	found := VendorFound{Name: v.name, DisplayName: v.displayName, Replacement: v.replacement}
	if p, ok := rec.evidenceOf(v, nil); ok {
		found.Evidence, found.Confidence = p.evidence, p.confidence
	}
	for _, r := range e.set.roles {
		if r.kind != recognises || r.vendor != v {
			continue
		}
		matched := slices.ContainsFunc(rec.forms, func(f form) bool { return slices.Contains(f.all(), r) })
		found.Patterns = append(found.Patterns, PatternTried{Pattern: r.pattern, Confidence: r.confidence, Matched: matched})
	}
	for _, r := range v.restrictions {
		found.Restrictions = append(found.Restrictions, e.explainRestriction(rec, v, r))
	}
	return found
}

func (e *evaluation) explainRestriction(rec *recognition, v *vendor, r *restriction) RestrictionFound {
	zone := r.schedule.Zone()
	c := e.candidacy(v, r)
	found := RestrictionFound{Name: r.name, Audience: r.audience, Zone: zone, EvaluatedAt: c.now}
	found.Phase, found.Next = r.schedule.At(c.now, 0)
	for _, p := range e.policies {
		if p.binds(v, r) {
			found.Policies = append(found.Policies, p.name)
		}
	}
	c.proof, found.Applies = rec.evidenceOf(v, r)
	if !found.Applies {
		found.Actions, found.NextActions = allowed, allowed
		return found
	}
	found.Evidence, found.Confidence = c.proof.evidence, c.proof.confidence
	found.Actions, found.NextActions = c.actions(), allowed
	if found.Next != nil {
		then := c.at(found.Next.Instant)
		found.NextActions = then.actions()
	}
	c.use = UseIntroduce
	if best, _ := c.strongest(); best != nil && best.phase.Instant.After(c.now) {
		found.Early = best.phase
	}
	found.Waivers = e.liveWaivers(rec, v, r)
	return found
}

var allowed = Actions{v1alpha1.ActionAllow, v1alpha1.ActionAllow, v1alpha1.ActionAllow}

// actions hears the policies on each use.
func (c *candidacy) actions() Actions {
	return Actions{Introduce: c.action(UseIntroduce), Update: c.action(UseUpdate), Continue: c.action(UseContinue)}
}

func (e *evaluation) liveWaivers(rec *recognition, v *vendor, r *restriction) []LiveWaiver {
	var live []LiveWaiver
	now := e.instant.In(time.UTC)
	for _, w := range e.set.waivers {
		if w.covers(v, r) && rec.waivedBy(w) && w.expires.After(now) {
			live = append(live, LiveWaiver{Name: w.name, Ends: schedule.Deadline(now, w.expires, time.UTC)})
		}
	}
	return live
}

// nearest finds the pattern that comes nearest to some form: of equally near ones the
// longest, which says most, then the first by name.
func (rs *RuleSet) nearest(rec *recognition) *Nearest {
	var best *Nearest
	position := 0
	for _, r := range rs.roles {
		if r.kind != recognises {
			continue
		}
		p := rs.recognising[position]
		position++
		for i := range rec.forms {
			if n, ok := near(p, r, rec.forms[i].reference); ok && (best == nil || n.compare(best) < 0) {
				best = n
			}
		}
	}
	return best
}

func near(p imageref.Pattern, r role, ref imageref.Reference) (*Nearest, bool) {
	distance, ok := p.Distance(ref)
	if !ok {
		return nil, false
	}
	return &Nearest{Pattern: r.pattern, Vendor: r.vendor.name, Distance: distance}, true
}

func (n *Nearest) compare(other *Nearest) int {
	return cmp.Or(cmp.Compare(n.Distance, other.Distance), cmp.Compare(len(other.Pattern), len(n.Pattern)), cmp.Compare(n.Pattern, other.Pattern))
}
