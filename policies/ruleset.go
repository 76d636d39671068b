package policies

import (
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"embargo.dev/policies/imageref"
	"embargo.dev/policies/schedule"
	"embargo.dev/policies/v1alpha1"
)

// RuleSet is everything a decision follows, compiled. It never changes and may
// be used by many goroutines at once; a new one takes its place as a whole.
type RuleSet struct {
	digest   string
	vendors  []*vendor
	policies []*policy
	waivers  []*waiver
	digests  map[string][]*vendor // vendors by listed manifest digest
	mirrors  *imageref.Mirrors
	index    *imageref.Index
	patterns []imageref.Pattern // of the index
	roles    []role             // what each of them is for, by position

	recognising []imageref.Pattern // those of the index that recognise a vendor
	declared    []imageref.Mirror
}

// vendor is a compiled RestrictedVendor.
type vendor struct {
	name         string
	displayName  string
	replacement  string
	labels       labels.Set
	restrictions []*restriction
}

// restriction is a compiled restriction of a vendor.
type restriction struct {
	vendor   string
	name     string
	audience string
	citation string
	narrowed bool // by appliesTo.patterns
	schedule *schedule.Schedule
}

// policy is a compiled VendorPolicy.
type policy struct {
	name       string
	vendors    labels.Selector
	namespaces namespaceSelector
	audiences  map[string]bool
	ceiling    v1alpha1.Action
	leadDays   int32
}

// waiver is a compiled VendorWaiver.
type waiver struct {
	name         string
	vendor       string
	restrictions map[string]bool // empty: all
	namespaces   namespaceSelector
	images       []imageref.Pattern
	expires      time.Time
}

// covers reports whether the waiver is meant for the restriction of the vendor.
func (w *waiver) covers(v *vendor, r *restriction) bool {
	return w.vendor == v.name && (len(w.restrictions) == 0 || w.restrictions[r.name])
}

// Digest names the content of the rule set, as "sha256:…": the same
// RestrictedVendors, VendorPolicies and VendorWaivers give the same digest.
func (rs *RuleSet) Digest() string { return rs.digest }

// NextTransition returns the first instant after now at which some decision
// changes: a phase begins under some policy, or a waiver expires.
func (rs *RuleSet) NextTransition(now time.Time) (time.Time, bool) {
	var next time.Time
	consider := func(t time.Time) {
		if t.After(now) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for _, v := range rs.vendors {
		for _, r := range v.restrictions {
			for _, days := range rs.leadTimes(v, r) {
				if t, ok := r.schedule.NextTransition(now, days); ok {
					consider(t)
				}
			}
		}
	}
	for _, w := range rs.waivers {
		consider(w.expires)
	}
	return next, !next.IsZero()
}

// leadTimes returns the lead times with which policies apply the restriction.
func (rs *RuleSet) leadTimes(v *vendor, r *restriction) []int32 {
	var days []int32
	for _, p := range rs.policies {
		if p.binds(v, r) {
			days = append(days, p.leadDays)
		}
	}
	return days
}

// binds reports whether the policy applies the restriction of the vendor
// somewhere.
func (p *policy) binds(v *vendor, r *restriction) bool {
	return p.audiences[r.audience] && p.vendors.Matches(v.labels)
}
