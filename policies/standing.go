package policies

import (
	"cmp"
	"slices"
	"time"

	"embargo.dev/policies/schedule"
	"embargo.dev/policies/v1alpha1"
)

// Standing is where a restriction's schedule stands at an instant, by law and
// without any policy's lead time.
type Standing struct {
	Restriction string
	Zone        *time.Location
	Phase       *schedule.Phase // in force; nil before the first
	Next        *schedule.Phase // nil after the last
	Bound       bool            // some policy applies the restriction
}

// Standings returns where each restriction of the vendor stands that is in
// force, the one that matters most first: bound by a policy, then of the
// strongest action, then of the earliest next phase, then by name.
func (rs *RuleSet) Standings(vendorName string, now time.Time) []Standing {
	v := rs.vendor(vendorName)
	if v == nil {
		return nil
	}
	standings := make([]Standing, 0, len(v.restrictions))
	for _, r := range v.restrictions {
		phase, next := r.schedule.At(now, 0)
		bound := slices.ContainsFunc(rs.policies, func(p *policy) bool { return p.binds(v, r) })
		standings = append(standings, Standing{Restriction: r.name, Zone: r.schedule.Zone(), Phase: phase, Next: next, Bound: bound})
	}
	slices.SortFunc(standings, func(a, b Standing) int {
		return cmp.Or(
			compareBool(b.Bound, a.Bound),
			cmp.Compare(b.strength(), a.strength()),
			a.nextInstant().Compare(b.nextInstant()),
			cmp.Compare(a.Restriction, b.Restriction),
		)
	})
	return standings
}

// BanDate returns when a restriction begins, by law, to refuse what is newly brought in,
// as people of its zone would say it; "" where it never does.
func (rs *RuleSet) BanDate(vendorName, restrictionName string) string {
	v := rs.vendor(vendorName)
	if v == nil {
		return ""
	}
	for _, r := range v.restrictions {
		if r.name != restrictionName {
			continue
		}
		for i := range r.schedule.Phases() {
			if p := &r.schedule.Phases()[i]; p.Introduce == v1alpha1.ActionDeny {
				return p.Local()
			}
		}
	}
	return ""
}

func (rs *RuleSet) vendor(name string) *vendor {
	i, found := slices.BinarySearchFunc(rs.vendors, name, func(v *vendor, name string) int { return cmp.Compare(v.name, name) })
	if !found {
		return nil
	}
	return rs.vendors[i]
}

// strength is that of the strongest action that the phase asks for.
func (s Standing) strength() int {
	if s.Phase == nil {
		return -1
	}
	return s.Phase.Introduce.Stronger(s.Phase.Update).Stronger(s.Phase.Continue).Strength()
}

// nextInstant is when the next phase begins; a schedule without one comes last.
func (s Standing) nextInstant() time.Time {
	if s.Next == nil {
		return time.Unix(1<<40, 0)
	}
	return s.Next.Instant
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}

// Recognises reports whether any image at all can be found to be the vendor's.
func (rs *RuleSet) Recognises(vendorName string) bool {
	v := rs.vendor(vendorName)
	if v == nil {
		return false
	}
	for _, vendors := range rs.digests {
		if slices.Contains(vendors, v) {
			return true
		}
	}
	return slices.ContainsFunc(rs.roles, func(r role) bool { return r.kind == recognises && r.vendor == v })
}

// CanFind reports whether an image can be found to be the vendor's, and some policy applies one
// of its restrictions. Otherwise there are no findings, whatever runs.
func (rs *RuleSet) CanFind(vendorName string) bool {
	return rs.Recognises(vendorName) && rs.IdleVendor(vendorName).Reason == ""
}

// SelectedVendors counts the vendors of which the policy applies a restriction.
func (rs *RuleSet) SelectedVendors(policyName string) int {
	count := 0
	for _, p := range rs.policies {
		if p.name != policyName {
			continue
		}
		for _, v := range rs.vendors {
			if slices.ContainsFunc(v.restrictions, func(r *restriction) bool { return p.binds(v, r) }) {
				count++
			}
		}
	}
	return count
}

// Covers reports whether the policy applies in the namespace.
func (rs *RuleSet) Covers(policyName string, ns Namespace) bool {
	return slices.ContainsFunc(rs.policies, func(p *policy) bool { return p.name == policyName && p.namespaces.mayCover(ns) })
}

// SelectsByLabels reports whether some policy or waiver asks for labels of namespaces
// other than their name.
func (rs *RuleSet) SelectsByLabels() bool {
	return slices.ContainsFunc(rs.policies, func(p *policy) bool { return p.namespaces.others }) ||
		slices.ContainsFunc(rs.waivers, func(w *waiver) bool { return w.namespaces.others })
}
