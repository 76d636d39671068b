package policies

import (
	"fmt"
	"time"
)

// date is the day that an instant belongs to in a zone.
func date(t time.Time, zone *time.Location) string { return t.In(zone).Format(time.DateOnly) }

// soon is how long before an instant people need its time beside its day.
const soon = 48 * time.Hour

// clockTime is an instant with its time and zone.
func clockTime(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("2006-01-02 15:04 MST")
}

// deadline is the day of an instant to come, with its time and what is left where that
// is today or tomorrow.
func deadline(now, t time.Time, zone *time.Location) string {
	if left := t.Sub(now); left < 0 || left >= soon {
		return date(t, zone)
	}
	return fmt.Sprintf("%s (%s left)", clockTime(t, zone), remaining(now, t, zone))
}

// moment is the day where an instant is the first of it and not near, else the whole
// instant in the zone.
func moment(now, t time.Time, zone *time.Location) string {
	local := t.In(zone)
	if left := t.Sub(now); left >= 0 && left < soon {
		return clockTime(t, zone)
	}
	if local.Add(-time.Nanosecond).Day() != local.Day() {
		return local.Format(time.DateOnly)
	}
	return local.Format(time.RFC3339)
}

// remaining is how long it is from now to then: in calendar days of the zone,
// and below two of them in hours, minutes or seconds.
func remaining(now, then time.Time, zone *time.Location) string {
	left := then.Sub(now)
	switch {
	case left >= 48*time.Hour:
		return days(calendarDays(now.In(zone), then.In(zone)))
	case left >= 2*time.Hour:
		return fmt.Sprintf("%d hours", int(left/time.Hour))
	case left >= 2*time.Minute:
		return fmt.Sprintf("%d minutes", int(left/time.Minute))
	default:
		return fmt.Sprintf("%d s", int((left+time.Second-1)/time.Second))
	}
}

// calendarDays counts the midnights between two instants of one zone.
func calendarDays(from, to time.Time) int {
	day := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	return int(day(to).Sub(day(from)) / (24 * time.Hour))
}

func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}
