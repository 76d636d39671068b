package policies

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"embargo.dev/policies/v1alpha1"
)

// Reasons of the conditions Enforced, of policies, and Applied, of vendors, where nothing is
// applied.
const (
	// Of policies.
	ReasonDoesNotCompile = "DoesNotCompile"
	ReasonNoVendors      = "NoVendors"     // the cluster has none
	ReasonNoneSelected   = "NoneSelected"  // vendorSelector matches no vendor
	ReasonNoRestriction  = "NoRestriction" // no restriction of the selected vendors has one of the audiences
	// Of vendors.
	ReasonNoPolicy       = "NoPolicy"       // the cluster has none
	ReasonNotApplied     = "NotApplied"     // no policy applies a restriction of the vendor
	ReasonNoRestrictions = "NoRestrictions" // no restriction of the vendor compiles
)

// Idle says why a policy applies no restriction, or why no policy applies a restriction of a
// vendor. It is zero where some restriction is applied.
type Idle struct {
	Reason  string
	Message string // why, and what would be right
}

// IdlePolicy says why the policy applies no restriction.
func (rs *RuleSet) IdlePolicy(name string) Idle {
	at := slices.IndexFunc(rs.policies, func(p *policy) bool { return p.name == name })
	if at < 0 {
		return Idle{ReasonDoesNotCompile, "the policy doesn't compile, so it applies nothing"}
	}
	if len(rs.vendors) == 0 {
		return Idle{ReasonNoVendors, "there is no RestrictedVendor, so the policy applies nothing; apply one, or name built-in ones in catalog.vendors"}
	}
	p := rs.policies[at]
	var selected []*vendor
	for _, v := range rs.vendors {
		if p.vendors.Matches(v.labels) {
			selected = append(selected, v)
		}
	}
	if len(selected) == 0 {
		return Idle{ReasonNoneSelected, fmt.Sprintf("spec.vendorSelector selects no RestrictedVendor, so the policy applies nothing; without it the policy selects all: %s", listed(rs.vendorNames()))}
	}
	for _, v := range selected {
		if slices.ContainsFunc(v.restrictions, func(r *restriction) bool { return p.audiences[r.audience] }) {
			return Idle{}
		}
	}
	return Idle{ReasonNoRestriction, fmt.Sprintf("no restriction of the selected vendors has an audience of spec.audiences, so the policy applies nothing; their audiences are %s", listed(audiences(selected)))}
}

// IdleVendor says why no policy applies a restriction of the vendor.
func (rs *RuleSet) IdleVendor(name string) Idle {
	v := rs.vendor(name)
	switch {
	case v == nil || len(v.restrictions) == 0:
		return Idle{ReasonNoRestrictions, "no restriction of the vendor compiles, so none is applied"}
	case len(rs.policies) == 0:
		return Idle{ReasonNoPolicy, "there is no VendorPolicy, so nothing is applied; apply one with an audience of this vendor's restrictions: " + listed(audiences([]*vendor{v}))}
	}
	for _, r := range v.restrictions {
		if len(rs.leadTimes(v, r)) > 0 {
			return Idle{}
		}
	}
	return Idle{ReasonNotApplied, "no VendorPolicy applies a restriction of this vendor; one that selects the vendor needs one of the audiences " + listed(audiences([]*vendor{v}))}
}

// RestrictionsInForce counts the restrictions that bear on decisions now: some policy applies
// the restriction and, by that policy's lead time, a phase is in force that asks for more than
// Allow.
func (rs *RuleSet) RestrictionsInForce(now time.Time) int {
	count := 0
	for _, v := range rs.vendors {
		for _, r := range v.restrictions {
			if rs.inForce(v, r, now) {
				count++
			}
		}
	}
	return count
}

func (rs *RuleSet) inForce(v *vendor, r *restriction, now time.Time) bool {
	return slices.ContainsFunc(rs.leadTimes(v, r), func(days int32) bool {
		phase, _ := r.schedule.At(now, days)
		return phase != nil && phase.Introduce.Stronger(phase.Update).Stronger(phase.Continue) != v1alpha1.ActionAllow
	})
}

// Objects counts the objects of each kind that the rule set was compiled from, as far as they
// compile.
func (rs *RuleSet) Objects() map[string]int {
	return map[string]int{kindVendor: len(rs.vendors), kindPolicy: len(rs.policies), kindWaiver: len(rs.waivers)}
}

func (rs *RuleSet) vendorNames() []string {
	names := make([]string, 0, len(rs.vendors))
	for _, v := range rs.vendors {
		names = append(names, v.name)
	}
	return names
}

// audiences returns those of the vendors' restrictions, in order.
func audiences(vendors []*vendor) []string {
	var all []string
	for _, v := range vendors {
		for _, r := range v.restrictions {
			all = append(all, r.audience)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// listed writes the first names of a list, and how many more there are.
func listed(names []string) string {
	const most = 20
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
