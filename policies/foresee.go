package policies

import (
	"time"

	"embargo.dev/policies/schedule"
	"embargo.dev/policies/v1alpha1"
)

// foresee finds out when the use, or else an update, will be refused by any policy.
func (c *candidacy) foresee(m *measure) {
	goesOn := c.use == UseContinue
	m.updatesDenied = goesOn && c.action(UseUpdate) == v1alpha1.ActionDeny
	for _, p := range c.policies {
		if !p.binds(c.vendor, c.restriction) {
			continue
		}
		for _, phase := range c.restriction.schedule.Phases() {
			begins := phase.Begins(p.leadDays)
			if !begins.After(c.now) {
				continue
			}
			then := c.at(begins)
			if then.denies(&phase, c.use, p) {
				m.refusedFrom = earlier(m.refusedFrom, begins)
			}
			if goesOn && then.denies(&phase, UseUpdate, p) {
				m.updatesFrom = earlier(m.updatesFrom, begins)
			}
		}
	}
}

// denies reports whether the policy refuses the use in the phase.
func (c *candidacy) denies(phase *schedule.Phase, use Use, p *policy) bool {
	as := *c
	as.use = use
	return as.weaken(asks(phase, use), p) == v1alpha1.ActionDeny
}

// earlier returns the earlier of two instants, of which the first may not be known.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
