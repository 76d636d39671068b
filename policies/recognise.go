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
}

func (f *form) hasVendor(kind roleKind, v *vendor) bool {
	return slices.ContainsFunc(f.roles, func(r role) bool { return r.kind == kind && r.vendor == v })
}

func (f *form) hasRestriction(kind roleKind, to *restriction) bool {
	return slices.ContainsFunc(f.roles, func(r role) bool { return r.kind == kind && r.restriction == to })
}

func (f *form) hasWaiver(w *waiver) bool {
	return slices.ContainsFunc(f.roles, func(r role) bool { return r.kind == waives && r.waiver == w })
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
		for _, r := range rec.forms[i].roles {
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
	rs.index.Match(ref, func(position int) { f.roles = append(f.roles, rs.roles[position]) })
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
// does.
func (rec *recognition) evidenceOf(v *vendor, r *restriction) (proof, bool) {
	if slices.Contains(rec.listed, v) {
		return proof{EvidenceDigest, v1alpha1.ConfidenceConfirmed}, true
	}
	if r != nil && r.narrowed && !rec.narrowedTo(r) {
		return proof{}, false
	}
	var (
		best  proof
		found bool
	)
	for i := range rec.forms {
		f := &rec.forms[i]
		if f.hasVendor(excludes, v) || r != nil && f.hasRestriction(leavesOut, r) {
			continue
		}
		for _, candidate := range f.roles {
			if candidate.kind != recognises || candidate.vendor != v {
				continue
			}
			if p := (proof{f.evidence(), candidate.confidence}); !found || p.confirmed() && !best.confirmed() {
				best, found = p, true
			}
		}
	}
	return best, found
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

// narrowedTo reports whether some form is among the images that the restriction
// is narrowed to: a mirror must not take an image out of them.
func (rec *recognition) narrowedTo(r *restriction) bool {
	return slices.ContainsFunc(rec.forms, func(f form) bool { return f.hasRestriction(narrows, r) })
}

// waivedBy reports whether a pattern of the waiver matches some form.
func (rec *recognition) waivedBy(w *waiver) bool {
	return slices.ContainsFunc(rec.forms, func(f form) bool { return f.hasWaiver(w) })
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
