package policies

import (
	"cmp"
	"slices"

	"embargo.dev/policies/imageref"
	"embargo.dev/policies/v1alpha1"
)

// role says what a pattern of the index is for.
type role struct {
	kind        roleKind
	pattern     string              // as written
	vendor      *vendor             // of recognises and excludes
	restriction *restriction        // of narrows and leavesOut
	waiver      *waiver             // of waives
	confidence  v1alpha1.Confidence // of recognises
}

type roleKind int

const (
	recognises roleKind = iota // images.repositories
	excludes                   // images.exclude
	narrows                    // appliesTo.patterns
	leavesOut                  // appliesTo.exclude
	waives                     // a waiver's images
)

// form is a reference as written, or one of its rewritings, with the patterns
// that match it.
type form struct {
	reference imageref.Reference
	mirrored  bool
	roles     []role
	// possible are the roles of patterns that ask for a tag or a digest which the
	// reference leaves open: they hold for some of the images that it can come to be.
	possible []role
}

// all are the roles of every pattern that matches, or can come to.
func (f *form) all() []role {
	if len(f.possible) == 0 {
		return f.roles
	}
	return slices.Concat(f.roles, f.possible)
}

func hasVendor(roles []role, kind roleKind, v *vendor) bool {
	return slices.ContainsFunc(roles, func(r role) bool { return r.kind == kind && r.vendor == v })
}

func hasRestriction(roles []role, kind roleKind, to *restriction) bool {
	return to != nil && slices.ContainsFunc(roles, func(r role) bool { return r.kind == kind && r.restriction == to })
}

func hasWaiver(roles []role, w *waiver) bool {
	return slices.ContainsFunc(roles, func(r role) bool { return r.kind == waives && r.waiver == w })
}

// recognition is what is known of one reference.
type recognition struct {
	forms   []form
	listed  []*vendor // vendors that list the reference's digest
	vendors []*vendor // whose image it may be, by name
}

// recognise matches the reference and every rewriting of it against all
// patterns and digests. A reference that nothing matches costs no more than
// looking it up.
func (rs *RuleSet) recognise(ref imageref.Reference) recognition {
	rec := recognition{listed: rs.digests[ref.Digest]}
	rec.forms = append(rec.forms, rs.match(ref, false))
	for _, rewritten := range rs.mirrors.Undo(ref) {
		rec.forms = append(rec.forms, rs.match(rewritten, true))
	}
	rec.vendors = append(rec.vendors, rec.listed...)
	for i := range rec.forms {
		for _, r := range rec.forms[i].all() {
			if r.kind == recognises {
				rec.vendors = append(rec.vendors, r.vendor)
			}
		}
	}
	slices.SortFunc(rec.vendors, func(a, b *vendor) int { return cmp.Compare(a.name, b.name) })
	rec.vendors = slices.Compact(rec.vendors)
	return rec
}

func (rs *RuleSet) match(ref imageref.Reference, mirrored bool) form {
	f := form{reference: ref, mirrored: mirrored}
	rs.index.Match(ref, func(position int) {
		if rs.patterns[position].MayDiffer(ref) {
			f.possible = append(f.possible, rs.roles[position])
		} else {
			f.roles = append(f.roles, rs.roles[position])
		}
	})
	return f
}

// undone is the reference with mirrors undone, by which references compare.
func (rec *recognition) undone() imageref.Reference {
	return rec.forms[len(rec.forms)-1].reference
}

// upstream is the text of the undone reference, "" where no mirror applies.
func (rec *recognition) upstream() string {
	if len(rec.forms) == 1 {
		return ""
	}
	return rec.undone().String()
}

// proof is the evidence that an image is a vendor's, and how sure it is.
type proof struct {
	evidence   Evidence
	confidence v1alpha1.Confidence
}

// evidenceOf returns the best evidence that the image is the vendor's: the
// stronger confidence first, then Digest, Reference, Mirror. With a restriction,
// only the images that it applies to count; an image found by Digest always
// does. What depends on a tag or digest that the reference leaves open makes it a
// suspicion.
func (rec *recognition) evidenceOf(v *vendor, r *restriction) (proof, bool) {
	if slices.Contains(rec.listed, v) {
		return proof{EvidenceDigest, v1alpha1.ConfidenceConfirmed}, true
	}
	certain, possible := rec.narrowedTo(r)
	if !possible {
		return proof{}, false
	}
	var (
		best  proof
		found bool
	)
	for i := range rec.forms {
		p, ok := rec.forms[i].proofOf(v, r)
		if !certain {
			p.confidence = v1alpha1.ConfidenceSuspected
		}
		if ok && (!found || p.confirmed() && !best.confirmed()) {
			best, found = p, true
		}
	}
	return best, found
}

// proofOf returns the evidence that this form is.
func (f *form) proofOf(v *vendor, r *restriction) (proof, bool) {
	if hasVendor(f.roles, excludes, v) || hasRestriction(f.roles, leavesOut, r) {
		return proof{}, false
	}
	p := proof{f.evidence(), v1alpha1.ConfidenceSuspected}
	sure := !hasVendor(f.possible, excludes, v) && !hasRestriction(f.possible, leavesOut, r)
	recognised := func(candidate role) bool { return candidate.kind == recognises && candidate.vendor == v }
	confirmed := func(candidate role) bool {
		return recognised(candidate) && candidate.confidence == v1alpha1.ConfidenceConfirmed
	}
	if sure && slices.ContainsFunc(f.roles, confirmed) {
		p.confidence = v1alpha1.ConfidenceConfirmed
	}
	return p, slices.ContainsFunc(f.all(), recognised)
}

func (p proof) confirmed() bool { return p.confidence == v1alpha1.ConfidenceConfirmed }

// evidence is what a match of this form is called. Forms are in the order in
// which Reference comes before Mirror, so the first of equal confidence wins.
func (f *form) evidence() Evidence {
	if f.mirrored {
		return EvidenceMirror
	}
	return EvidenceReference
}

// narrowedTo reports whether some form is among the images that the restriction is
// narrowed to, and whether some can come to be: a mirror must not take an image out of
// them. Without a restriction, or one that isn't narrowed, every image is.
func (rec *recognition) narrowedTo(r *restriction) (certain, possible bool) {
	if r == nil || !r.narrowed {
		return true, true
	}
	for i := range rec.forms {
		certain = certain || hasRestriction(rec.forms[i].roles, narrows, r)
		possible = possible || hasRestriction(rec.forms[i].possible, narrows, r)
	}
	return certain, certain || possible
}

// waivedBy reports whether a pattern of the waiver matches some form.
func (rec *recognition) waivedBy(w *waiver) bool {
	return slices.ContainsFunc(rec.forms, func(f form) bool { return hasWaiver(f.roles, w) })
}

// mayBeWaivedBy reports whether one can come to match.
func (rec *recognition) mayBeWaivedBy(w *waiver) bool {
	return slices.ContainsFunc(rec.forms, func(f form) bool { return hasWaiver(f.possible, w) })
}

// waivedInAnotherVersion returns the pattern of the waiver that would match some form if it
// had another tag or digest.
func (rec *recognition) waivedInAnotherVersion(w *waiver) (pattern string, found bool) {
	for _, p := range w.images {
		if slices.ContainsFunc(rec.forms, func(f form) bool { return p.MatchRepository(f.reference) }) {
			return p.String(), true
		}
	}
	return "", false
}
