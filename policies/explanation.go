package policies

import (
	"time"

	"embargo.dev/policies/imageref"
	"embargo.dev/policies/schedule"
	"embargo.dev/policies/v1alpha1"
)

// Explanation is how an image is read, and what follows from it: everything that a
// decision about it rests on but the request. So the namespace plays no part: every
// policy counts, and no waiver does.
type Explanation struct {
	Image   string
	Problem Evidence // EvidenceUnparsable or EvidenceUnresolved, "" where it can be read
	Reason  string   // of the problem

	Forms   []Form
	Tried   Tried
	Vendors []VendorFound // by name, also those that an exclusion keeps out
	Nearest *Nearest      // where no vendor is found, and some pattern is near
}

// Form is the reference as written, or one of its rewritings, with what matches it.
type Form struct {
	Reference imageref.Reference
	Undone    *imageref.Step // the mirror that was undone; nil for the reference as written
	Matches   []Match
}

// Match is a pattern that matches a form.
type Match struct {
	Pattern     string
	Purpose     Purpose
	Vendor      string              // "" of a waiver's
	Restriction string              // where the pattern is of appliesTo
	Waiver      string              // where it is a waiver's
	Confidence  v1alpha1.Confidence // where it recognises
}

// Purpose is what a pattern is for.
type Purpose string

// The purposes: of images.repositories, images.exclude, appliesTo.patterns,
// appliesTo.exclude and a waiver's images.
const (
	PurposeRecognises Purpose = "Recognises"
	PurposeExcludes   Purpose = "Excludes"
	PurposeNarrows    Purpose = "Narrows"
	PurposeLeavesOut  Purpose = "LeavesOut"
	PurposeWaives     Purpose = "Waives"
)

// Tried counts what a reference was compared with.
type Tried struct {
	Vendors  int
	Patterns int // that recognise
	Digests  int
}

// VendorFound is a vendor whose image it may be.
type VendorFound struct {
	Name         string
	DisplayName  string
	Replacement  string
	Evidence     Evidence // "" where exclusions cancel all of it
	Confidence   v1alpha1.Confidence
	Patterns     []PatternTried // all that recognise the vendor
	Restrictions []RestrictionFound
}

// PatternTried is a pattern of a vendor, and whether some form matches it.
type PatternTried struct {
	Pattern    string
	Confidence v1alpha1.Confidence
	Matched    bool
}

// RestrictionFound is what a restriction makes of the image.
type RestrictionFound struct {
	Name       string
	Audience   string
	Applies    bool // the image is among those that the restriction is about
	Evidence   Evidence
	Confidence v1alpha1.Confidence

	Zone        *time.Location
	EvaluatedAt time.Time
	Phase       *schedule.Phase // in force by law; nil before the first
	Next        *schedule.Phase // nil after the last
	Early       *schedule.Phase // what a lead time puts in force before its date; nil for none

	Policies    []string     // that apply the restriction
	Actions     Actions      // the strongest of them, now
	NextActions Actions      // when the next phase begins by law
	Waivers     []LiveWaiver // those that cover it in the namespaces they select
}

// LiveWaiver is a waiver and when it ends, as people say it.
type LiveWaiver struct {
	Name string
	Ends string
}

// Actions are what happens for each use.
type Actions struct {
	Introduce v1alpha1.Action
	Update    v1alpha1.Action
	Continue  v1alpha1.Action // the creation of a child
}

// Nearest is the pattern that comes nearest to an image that none matches.
type Nearest struct {
	Pattern  string
	Vendor   string
	Distance int // see imageref.Pattern.Distance
}
