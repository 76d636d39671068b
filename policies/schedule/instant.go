package schedule

import (
	"fmt"
	"regexp"
	"time"
)

// Instant returns when something that is effective as written begins: for a date,
// the first instant of that day in the zone; else the RFC 3339 instant.
func Instant(effective string, zone *time.Location) (time.Time, error) {
	t, isDay, err := Parse(effective)
	if err != nil || !isDay {
		return t, err
	}
	start := firstInstant(t, zone)
	if shown := start.Format(time.DateOnly); shown != effective {
		return time.Time{}, fmt.Errorf("there was no %s in %s, which went over to %s", effective, zone, shown)
	}
	return start.UTC(), nil
}

// rfc3339 is the shape of an instant. time.Parse alone takes a comma too, and one digit
// for the hour.
var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$`)

// Parse reads an RFC 3339 instant, in UTC, or a date, as its midnight in UTC.
func Parse(text string) (t time.Time, isDay bool, err error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil && rfc3339.MatchString(text) {
		return t.UTC(), false, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day, true, nil
	}
	return time.Time{}, false, fmt.Errorf("%q is neither a date such as 2024-09-29 nor an RFC 3339 instant such as 2024-09-29T04:00:00Z", text)
}

// Begin returns the first instant of a day, given as its midnight in UTC, in a zone.
// Where the zone skipped the day, that is when the one after it began.
func Begin(day time.Time, zone *time.Location) time.Time { return firstInstant(day, zone).UTC() }

// firstInstant returns the first instant at which the calendar of the zone shows
// the day (given by its date alone) or, where the zone skipped it, a later one.
//
// Midnight is not always it. Where clocks go forward at midnight, the day begins
// at one o'clock; where they went back a minute after midnight, it began, ended
// and began again. So the edge is looked for between two instants that are surely
// on either side, and before a change of the clocks once more.
func firstInstant(day time.Time, zone *time.Location) time.Time {
	reached := func(t time.Time) bool {
		y, m, d := t.In(zone).Date()
		return !time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Before(day)
	}
	earliest := day.Add(-36 * time.Hour)
	first := edge(earliest, day.Add(36*time.Hour), reached)
	if changed, _ := first.In(zone).ZoneBounds(); changed.After(earliest) && reached(changed.Add(-time.Second)) {
		first = edge(earliest, changed.Add(-time.Second), reached)
	}
	return first.In(zone)
}

// edge returns the second at which reached turns true between before, where it is
// false, and after, where it is true.
func edge(before, after time.Time, reached func(time.Time) bool) time.Time {
	for after.Sub(before) > time.Second {
		middle := before.Add(after.Sub(before) / 2).Truncate(time.Second)
		if reached(middle) {
			after = middle
		} else {
			before = middle
		}
	}
	return after
}
