package policies

import (
	"time"

	"embargo.dev/policies/schedule"
)

// Instant is when a decision is made. In a cluster it is the instant of the
// request; reports and the command line can also ask for a date, which means
// the first instant of that day in each restriction's zone.
type Instant struct {
	time time.Time
	day  time.Time // midnight UTC of a date; zero where time counts
}

// At is the instant t, the same for every restriction.
func At(t time.Time) Instant { return Instant{time: t} }

// ParseInstant reads an RFC 3339 instant, or a date such as 2024-09-29.
func ParseInstant(text string) (Instant, error) {
	t, isDay, err := schedule.Parse(text)
	if isDay {
		return Instant{day: t}, nil
	}
	return Instant{time: t}, err
}

// In returns the instant as it is meant in a zone. A day that a zone skipped
// altogether begins there with the day after it.
func (i Instant) In(zone *time.Location) time.Time {
	if i.day.IsZero() {
		return i.time.UTC()
	}
	return schedule.Begin(i.day, zone)
}

// String repeats what was asked: the date, or the instant in UTC.
func (i Instant) String() string {
	if !i.day.IsZero() {
		return i.day.Format(time.DateOnly)
	}
	return i.time.UTC().Format(time.RFC3339Nano)
}
