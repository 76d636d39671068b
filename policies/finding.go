package policies

import (
	"time"

	"embargo.dev/policies/v1alpha1"
)

// Use is what a request does with a vendor's image.
type Use string

// The uses, decided for each image and vendor.
const (
	UseIntroduce Use = "Introduce"
	UseUpdate    Use = "Update"
	UseContinue  Use = "Continue"
)

// Evidence says why an image counts as a vendor's, or why that can't be known.
type Evidence string

// The evidences, and the two ways in which an image can't be read.
const (
	EvidenceDigest     Evidence = "Digest"
	EvidenceReference  Evidence = "Reference"
	EvidenceMirror     Evidence = "Mirror"
	EvidenceUnparsable Evidence = "Unparsable"
	EvidenceUnresolved Evidence = "Unresolved"
)

// Finding is one image field × one restriction. Where the image can't be read
// (evidence Unparsable or Unresolved), Vendor, Restriction, Phase and
// Confidence are empty and Effective is nil.
type Finding struct {
	Container   string              `json:"container"` // the container's or volume's name
	Field       string              `json:"field"`     // JSON path of the image field
	Image       string              `json:"image"`     // as written
	Canonical   string              `json:"canonical"` // as read; "" where it can't be
	Upstream    string              `json:"upstream"`  // with mirrors undone; "" where none applies
	Vendor      string              `json:"vendor"`    // name of the RestrictedVendor
	Restriction string              `json:"restriction"`
	Phase       string              `json:"phase"`
	Effective   *time.Time          `json:"effective"`   // when the phase begins by law, in UTC
	EvaluatedAt time.Time           `json:"evaluatedAt"` // without lead time, in UTC
	Use         Use                 `json:"use"`
	Action      v1alpha1.Action     `json:"action"`
	Evidence    Evidence            `json:"evidence"`
	Confidence  v1alpha1.Confidence `json:"confidence"`
	Policies    []string            `json:"policies"` // every policy that binds the finding
	Waiver      string              `json:"waiver"`   // the live waiver that covers it
	Next        *NextPhase          `json:"next"`
	Message     string              `json:"message"`

	measure measure
}

// NextPhase is the phase after the one in force.
type NextPhase struct {
	Phase     string          `json:"phase"`
	Effective time.Time       `json:"effective"` // by law, in UTC
	Action    v1alpha1.Action `json:"action"`    // for the same use, the strongest of the policies then
	Begins    time.Time       `json:"-"`         // when that policy, with its lead time, acts as if it had begun
	On        string          `json:"-"`         // the day of Effective in the restriction's zone
}

// measure is what messages say of a finding beyond its fields.
type measure struct {
	displayName   string
	replacement   string
	summary       string
	citation      string
	zone          *time.Location
	leadDays      int32
	refusedFrom   time.Time // when the use will be refused, zero if it won't
	updatesFrom   time.Time // when updates will be refused, for a use that goes on
	updatesDenied bool      // updates are refused already, for a use that goes on
	verification  v1alpha1.Verification
	list          string    // the list that holds the field: containers, volumes, …
	reason        string    // why the image can't be read
	realTime      time.Time // by which waivers are compared
	waiverExpires time.Time
	expiredWaiver string
	beside        *waiver // a live one that covers another tag or digest of what is refused
	besideImages  string  // its pattern
}

// early reports whether a policy's lead time put the phase in force before its
// date.
func (f *Finding) early() bool {
	return f.Effective != nil && f.Effective.After(f.EvaluatedAt)
}

// Decision is all findings of a request and the strongest action among them.
type Decision struct {
	Instant  Instant
	RuleSet  string          // digest of the rule set
	Action   v1alpha1.Action // Allow where there is no finding
	Findings []Finding       // in the order of the object's fields, then by vendor and restriction
}

// Denied reports whether the request is to be refused.
func (d Decision) Denied() bool { return d.Action == v1alpha1.ActionDeny }
