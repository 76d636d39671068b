package policies

import (
	"fmt"
	"time"

	"embargo.dev/policies/schedule"
)

// Instant is when a decision is made. In a cluster it is the instant of the
// request; reports and the command line can also ask for a date, which means
// the first instant of that day in each restriction's zone.
type Instant struct {
	time time.Time
	date string
}

// At is the instant t, the same for every restriction.
func At(t time.Time) Instant { return Instant{time: t} }

// ParseInstant reads an RFC 3339 instant, or a date such as 2024-09-29.
func ParseInstant(text string) (Instant, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return Instant{time: t}, nil
	}
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		return Instant{}, fmt.Errorf("%q is neither a date such as 2024-09-29 nor an RFC 3339 instant such as 2024-09-29T04:00:00Z", text)
	}
	return Instant{date: text}, nil
}

// In returns the instant as it is meant in a zone. A day that a zone skipped
// altogether begins there with the day after it, as it does in UTC.
func (i Instant) In(zone *time.Location) time.Time {
	if i.date == "" {
		return i.time.UTC()
	}
	t, err := schedule.Instant(i.date, zone)
	if err != nil {
		t, _ = time.Parse(time.DateOnly, i.date)
	}
	return t.UTC()
}

// String repeats what was asked: the date, or the instant in UTC.
func (i Instant) String() string {
	if i.date != "" {
		return i.date
	}
	return i.time.UTC().Format(time.RFC3339Nano)
}
