package schedule

import (
	"time"

	"embargo.dev/policies/v1alpha1"
)

// Phase is a phase with the instant at which it begins.
type Phase struct {
	v1alpha1.Phase

	Instant time.Time // by law, in UTC

	zone *time.Location
	date time.Time // the day, at midnight UTC; zero where the phase begins at an instant
}

// Begins returns when a policy with a lead time of so many days acts as if the
// phase had begun: as many calendar days earlier in the zone, at the first instant
// of that day, or for an instant at the same time of day.
func (p *Phase) Begins(leadDays int32) time.Time {
	switch {
	case leadDays == 0:
		return p.Instant
	case !p.date.IsZero():
		return firstInstant(p.date.AddDate(0, 0, -int(leadDays)), p.zone).UTC()
	default:
		return p.Instant.In(p.zone).AddDate(0, 0, -int(leadDays)).UTC()
	}
}

// Local is when the phase begins as people of the zone would say it: the date, or the
// instant with the zone's offset.
func (p *Phase) Local() string {
	if !p.date.IsZero() {
		return p.date.Format(time.DateOnly)
	}
	return p.Instant.In(p.zone).Format(time.RFC3339)
}

// Shown is Local for somebody who reads it at an instant: where the phase begins or began
// near it, with its time, its zone and what is left.
func (p *Phase) Shown(now time.Time) string {
	if Near(now, p.Instant) {
		return Deadline(now, p.Instant, p.zone)
	}
	return p.Local()
}

// Zone returns the zone in which the phase's date is counted.
func (p *Phase) Zone() *time.Location { return p.zone }

// Schedule is the phases of a restriction in order of time. It never changes.
type Schedule struct {
	zone   *time.Location
	phases []Phase
}

// Zone returns the zone in which the schedule's days are counted.
func (s *Schedule) Zone() *time.Location { return s.zone }

// Phases returns all phases in order of time. The slice is not to be changed.
func (s *Schedule) Phases() []Phase { return s.phases }

// At returns the phase in force, nil before the first, and the one after it, nil
// after the last, for a policy with a lead time of so many days.
func (s *Schedule) At(now time.Time, leadDays int32) (inForce, next *Phase) {
	for i := range s.phases {
		p := &s.phases[i]
		if p.Begins(leadDays).After(now) {
			return inForce, p
		}
		inForce = p
	}
	return inForce, nil
}

// NextTransition returns the first instant after now at which another phase comes
// into force; false where none is to come.
func (s *Schedule) NextTransition(now time.Time, leadDays int32) (time.Time, bool) {
	_, next := s.At(now, leadDays)
	if next == nil {
		return time.Time{}, false
	}
	return next.Begins(leadDays), true
}
