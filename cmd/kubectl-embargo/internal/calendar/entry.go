// Package calendar prints the ban schedule: as a table, as a picture of time, and as a
// calendar file.
package calendar

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"embargo.dev/policies"
	"embargo.dev/policies/schedule"
	"embargo.dev/policies/v1alpha1"
)

// Entry is one phase of one restriction; scripts depend on its JSON.
type Entry struct {
	Vendor       string                `json:"vendor"`
	Restriction  string                `json:"restriction"`
	Audience     string                `json:"audience"`
	Phase        string                `json:"phase"`
	Effective    time.Time             `json:"effective"` // in UTC
	Summary      string                `json:"summary"`
	Introduce    v1alpha1.Action       `json:"introduce"`
	Update       v1alpha1.Action       `json:"update"`
	Continue     v1alpha1.Action       `json:"continue"`
	Verification v1alpha1.Verification `json:"verification"`
	Citations    []v1alpha1.Citation   `json:"citations"`

	displayName string
	authority   string
	scope       string
	timeZone    string
	zone        *time.Location
	local       string // as the zone has it
	day         string // the same, with its time where it is near
	shown       string // the same, with what is left
	left        string // until it begins; "" where it has begun
	state       state
}

// state is where a phase stands at the instant that is asked about.
type state string

const (
	past    state = "past"
	inForce state = "in force"
	coming  state = "coming"
)

// strongest is the strongest of the three actions.
func (e *Entry) strongest() v1alpha1.Action {
	return e.Introduce.Stronger(e.Update).Stronger(e.Continue)
}

func (e *Entry) title() string { return e.Vendor + "/" + e.Restriction }

// Entries returns the phases of the restrictions that an audience is given for (of
// all, where none is), by vendor and restriction as listed, then by time. Schedules
// that don't compile are left out.
func Entries(vendors []v1alpha1.RestrictedVendor, audiences map[string]bool, instant policies.Instant) []Entry {
	entries := []Entry{}
	for i := range vendors {
		v := &vendors[i]
		for j := range v.Spec.Restrictions {
			r := &v.Spec.Restrictions[j]
			if len(audiences) > 0 && !audiences[r.Audience] {
				continue
			}
			s, errs := schedule.Compile(field.NewPath("spec"), r.TimeZone, r.Schedule)
			if len(errs) == 0 {
				entries = append(entries, phases(v, r, s, instant)...)
			}
		}
	}
	return entries
}

func phases(v *v1alpha1.RestrictedVendor, r *v1alpha1.Restriction, s *schedule.Schedule, instant policies.Instant) []Entry {
	now := instant.In(s.Zone())
	current, _ := s.At(now, 0)
	var entries []Entry
	standing := past
	if current == nil {
		standing = coming
	}
	for i := range s.Phases() {
		p := &s.Phases()[i]
		e := Entry{
			Vendor: v.Name, Restriction: r.Name, Audience: r.Audience, Phase: p.Phase.Phase, Effective: p.Instant,
			Summary: p.Summary, Introduce: p.Introduce, Update: p.Update, Continue: p.Continue,
			Verification: p.Verification, Citations: r.Citations,
			displayName: v.Spec.DisplayName, authority: r.Authority, scope: r.Scope,
			timeZone: r.TimeZone, zone: s.Zone(), local: p.Local(), day: p.Local(), shown: p.Shown(now), state: standing,
		}
		if schedule.Near(now, p.Instant) {
			e.day = schedule.Clock(p.Instant, s.Zone())
		}
		if p.Instant.After(now) {
			e.left = schedule.Left(now, p.Instant, s.Zone())
		}
		if p == current {
			e.state, standing = inForce, coming
		}
		entries = append(entries, e)
	}
	return entries
}

// Upcoming returns the phases that are to come, in order of time.
func Upcoming(entries []Entry) []Entry {
	upcoming := []Entry{}
	for i := range entries {
		if entries[i].state == coming {
			upcoming = append(upcoming, entries[i])
		}
	}
	slices.SortStableFunc(upcoming, func(a, b Entry) int { return a.Effective.Compare(b.Effective) })
	return upcoming
}

// OfSame returns the phases of the restrictions that others are of: a picture of time needs
// those before them too.
func OfSame(entries, others []Entry) []Entry {
	wanted := map[string]bool{}
	for i := range others {
		wanted[others[i].title()] = true
	}
	return slices.DeleteFunc(slices.Clone(entries), func(e Entry) bool { return !wanted[e.title()] })
}
