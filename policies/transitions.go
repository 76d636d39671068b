package policies

import (
	"cmp"
	"slices"
	"time"

	"embargo.dev/policies/schedule"
)

// Transition is what changes decisions at an instant: a phase of a restriction that
// begins under some policies, or a waiver that expires.
type Transition struct {
	Instant     time.Time
	Vendor      string
	DisplayName string
	Restriction string          // "" for a waiver
	Citation    string          // of the restriction
	Phase       *schedule.Phase // nil for a waiver
	Policies    []string        // under which the phase begins at that instant
	Waiver      string          // that expires
	Days        int             // midnights between now and then in the restriction's zone
	Zone        *time.Location
}

// Transitions returns everything that changes decisions after one instant and no later
// than another, in order of time.
func (rs *RuleSet) Transitions(after, until Instant) []Transition {
	var all []Transition
	for _, v := range rs.vendors {
		for _, r := range v.restrictions {
			all = append(all, rs.beginnings(v, r, after, until)...)
		}
	}
	for _, w := range rs.waivers {
		t := Transition{Instant: w.expires, Vendor: w.vendor, DisplayName: w.vendor, Waiver: w.name, Zone: time.UTC}
		if v := rs.vendor(w.vendor); v != nil {
			t.DisplayName = v.displayName
		}
		if t.within(after, until) {
			all = append(all, t)
		}
	}
	slices.SortStableFunc(all, func(a, b Transition) int {
		return cmp.Or(a.Instant.Compare(b.Instant), cmp.Compare(a.Vendor, b.Vendor), cmp.Compare(a.Restriction, b.Restriction), cmp.Compare(a.Waiver, b.Waiver))
	})
	return all
}

// beginnings returns the phases of a restriction that begin, once for each instant at
// which some policy acts as if they had.
func (rs *RuleSet) beginnings(v *vendor, r *restriction, after, until Instant) []Transition {
	var all []Transition
	phases := r.schedule.Phases()
	for i := range phases {
		for _, p := range rs.policies {
			if !p.binds(v, r) {
				continue
			}
			t := Transition{
				Instant: phases[i].Begins(p.leadDays), Vendor: v.name, DisplayName: v.displayName, Restriction: r.name, Citation: r.citation,
				Phase: &phases[i], Policies: []string{p.name}, Zone: r.schedule.Zone(),
			}
			same := slices.IndexFunc(all, func(o Transition) bool { return o.Phase == t.Phase && o.Instant.Equal(t.Instant) })
			switch {
			case same >= 0:
				all[same].Policies = append(all[same].Policies, p.name)
			case t.within(after, until):
				all = append(all, t)
			}
		}
	}
	return all
}

// within reports whether the transition comes between two instants, and counts the days
// to it.
func (t *Transition) within(after, until Instant) bool {
	now := after.In(t.Zone)
	t.Days = schedule.DaysUntil(now, t.Instant, t.Zone)
	return t.Instant.After(now) && !t.Instant.After(until.In(t.Zone))
}
