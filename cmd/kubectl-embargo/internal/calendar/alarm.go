package calendar

import (
	"fmt"
	"regexp"
	"strconv"

	ics "github.com/arran4/golang-ical"
)

// Alarm is how long before a phase a calendar reminds of it.
type Alarm struct {
	trigger string // as RFC 5545, section 3.8.6.3, has it
}

var alarmForm = regexp.MustCompile(`^(\d{1,4})([wdhm])$`)

// ParseAlarm reads how long before a phase an alarm goes off, such as 30d or 12h.
func ParseAlarm(text string) (Alarm, error) {
	match := alarmForm.FindStringSubmatch(text)
	if match == nil {
		return Alarm{}, fmt.Errorf("%q: want a number of weeks, days, hours or minutes before the day, such as 2w, 30d, 12h or 0d", text)
	}
	n, err := strconv.Atoi(match[1])
	if err != nil {
		return Alarm{}, err
	}
	if n == 0 {
		return Alarm{"PT0S"}, nil
	}
	return Alarm{fmt.Sprintf(map[string]string{"w": "-P%dW", "d": "-P%dD", "h": "-PT%dH", "m": "-PT%dM"}[match[2]], n)}, nil
}

// alarm adds an alarm that shows a text. It counts from the start of the day, wherever the
// calendar's owner is.
func (e *Entry) alarm(event *ics.VEvent, a Alarm) {
	alarm := event.AddAlarm()
	alarm.SetAction(ics.ActionDisplay)
	alarm.SetTrigger(a.trigger)
	alarm.SetDescription(plain(fmt.Sprintf("%s: %s on %s", e.displayName, e.headline(), e.local)))
}
