package policies

import (
	"time"

	"embargo.dev/policies/schedule"
)

// date is the day that an instant belongs to in a zone.
func date(t time.Time, zone *time.Location) string { return t.In(zone).Format(time.DateOnly) }

// moment is the day where an instant is the first of it and not near, else the whole
// instant in the zone.
func moment(now, t time.Time, zone *time.Location) string {
	local := t.In(zone)
	if schedule.Near(now, t) {
		return schedule.Clock(t, zone)
	}
	if local.Add(-time.Nanosecond).Day() != local.Day() {
		return local.Format(time.DateOnly)
	}
	return local.Format(time.RFC3339)
}
