package schedule

import (
	"fmt"
	"time"
)

const (
	// soon is how long before an instant people need its time beside its day.
	soon = 48 * time.Hour
	// recent is how long after an instant that is so: in another zone its day has not
	// begun yet.
	recent = 24 * time.Hour
)

// Near reports whether an instant is of today or tomorrow, wherever its reader is.
func Near(now, t time.Time) bool {
	left := t.Sub(now)
	return left > -recent && left < soon
}

// Clock is an instant with its time and zone.
func Clock(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("2006-01-02 15:04 MST")
}

// Date is the day of an instant in a zone, with its time and the zone where it is near.
func Date(now, t time.Time, zone *time.Location) string {
	if Near(now, t) {
		return Clock(t, zone)
	}
	return t.In(zone).Format(time.DateOnly)
}

// Deadline is the date of an instant to come, with what is left where it is near.
func Deadline(now, t time.Time, zone *time.Location) string {
	if !Near(now, t) || t.Before(now) {
		return Date(now, t, zone)
	}
	return fmt.Sprintf("%s (%s left)", Clock(t, zone), Left(now, t, zone))
}

// Left is how long it is from now to then: in calendar days of the zone, and below two
// days in hours, minutes or seconds.
func Left(now, then time.Time, zone *time.Location) string {
	left := then.Sub(now)
	switch {
	case left >= soon:
		return Days(DaysUntil(now, then, zone))
	case left >= 2*time.Hour:
		return fmt.Sprintf("%d hours", int(left/time.Hour))
	case left >= 2*time.Minute:
		return fmt.Sprintf("%d minutes", int(left/time.Minute))
	default:
		return fmt.Sprintf("%d s", int((left+time.Second-1)/time.Second))
	}
}

// DaysUntil counts the midnights between two instants in a zone.
func DaysUntil(now, then time.Time, zone *time.Location) int {
	day := func(t time.Time) time.Time {
		year, month, day := t.In(zone).Date()
		return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	}
	return int(day(then).Sub(day(now)) / (24 * time.Hour))
}

// Days is a number of days in words.
func Days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}
