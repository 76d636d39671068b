// Package explanation prints how images are read, whose they are and what follows from
// that.
package explanation

import (
	"time"

	"embargo.dev/policies/v1alpha1"
)

// Result is what explain answers; scripts depend on its shape.
type Result struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	AsOf       string   `json:"asOf"`
	RuleSet    string   `json:"ruleSet"`
	Notices    []string `json:"notices"`
	Images     []Image  `json:"images"`
}

// Image is one image. Where it can't be read there is a problem, and nothing else.
type Image struct {
	Image      string     `json:"image"`
	Canonical  string     `json:"canonical"`
	Reference  *Reference `json:"reference"`
	Problem    string     `json:"problem,omitempty"` // Unparsable or Unresolved
	Reason     string     `json:"reason,omitempty"`
	Advice     []string   `json:"advice,omitempty"`     // what to change
	Suggestion string     `json:"suggestion,omitempty"` // what was most likely meant
	Mirrors    []Mirror   `json:"mirrors"`              // undone, in the order of the steps
	Tried      Tried      `json:"tried"`
	Matches    []Match    `json:"matches"`
	Vendors    []Vendor   `json:"vendors"`
	Nearest    *Nearest   `json:"nearest"`
}

// Reference is a canonical reference taken apart.
type Reference struct {
	Host       string `json:"host"`
	Repository string `json:"repository"`
	Tag        string `json:"tag"`
	Digest     string `json:"digest"`
}

// Mirror is one mirror undone.
type Mirror struct {
	Prefix    string `json:"prefix"`
	Upstream  string `json:"upstream"`
	Reference string `json:"reference"` // at the upstream
}

// Tried counts what the image was compared with.
type Tried struct {
	Vendors  int `json:"vendors"`
	Patterns int `json:"patterns"`
	Digests  int `json:"digests"`
}

// Match is a pattern that matched, and which form of the reference.
type Match struct {
	Reference   string `json:"reference"`
	Pattern     string `json:"pattern"`
	Purpose     string `json:"purpose"`
	Vendor      string `json:"vendor"`
	Restriction string `json:"restriction"`
	Waiver      string `json:"waiver"`
	Confidence  string `json:"confidence"`
}

// Vendor is one whose image it may be.
type Vendor struct {
	Vendor       string        `json:"vendor"`
	DisplayName  string        `json:"displayName"`
	Evidence     string        `json:"evidence"` // "" where exclusions cancel all of it
	Confidence   string        `json:"confidence"`
	Replacement  string        `json:"replacement"`
	Patterns     []Pattern     `json:"patterns"`
	Restrictions []Restriction `json:"restrictions"`
}

// Pattern is one by which the vendor is recognised.
type Pattern struct {
	Pattern    string `json:"pattern"`
	Confidence string `json:"confidence"`
	Matched    bool   `json:"matched"`
}

// Restriction is what one restriction makes of the image.
type Restriction struct {
	Restriction string              `json:"restriction"`
	Authority   string              `json:"authority"`
	Audience    string              `json:"audience"`
	Scope       string              `json:"scope"`
	Citations   []v1alpha1.Citation `json:"citations"`
	TimeZone    string              `json:"timeZone"`
	EvaluatedAt time.Time           `json:"evaluatedAt"`
	Applies     bool                `json:"applies"` // the image is among those it is about
	Evidence    string              `json:"evidence"`
	Confidence  string              `json:"confidence"`
	Policies    []string            `json:"policies"`   // that apply it
	Waivers     []string            `json:"waivers"`    // live ones that cover it in their namespaces
	Phase       *Phase              `json:"phase"`      // in force by law
	EarlyPhase  string              `json:"earlyPhase"` // put in force before its date by a lead time
	Actions     Actions             `json:"actions"`    // of the policies, now
	Next        *Phase              `json:"next"`
	NextActions Actions             `json:"nextActions"`

	waiverEnds []string // of Waivers, one by one
}

// Phase is a phase with its instant, and the date in the restriction's zone.
type Phase struct {
	Phase        string                `json:"phase"`
	Effective    time.Time             `json:"effective"` // in UTC
	Local        string                `json:"local"`
	Summary      string                `json:"summary"`
	Verification v1alpha1.Verification `json:"verification"`

	shown string // Local, with its time and what is left where it is near
}

// Actions are what happens for each use.
type Actions struct {
	Introduce v1alpha1.Action `json:"introduce"`
	Update    v1alpha1.Action `json:"update"`
	Continue  v1alpha1.Action `json:"continue"`
}

// Nearest is the pattern that comes nearest to an image that none matches.
type Nearest struct {
	Pattern  string `json:"pattern"`
	Vendor   string `json:"vendor"`
	Distance int    `json:"distance"`
}
