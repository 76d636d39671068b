package calendar

import (
	"fmt"
	"io"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"embargo.dev/policies/v1alpha1"
)

// ICS writes the phases as a calendar file (RFC 5545): an event for the whole of the
// day on which a phase begins in the restriction's zone. An event keeps its identity
// as long as vendor, restriction and phase keep their names, so that importing a later
// file moves it. The stamp is when the file was made. Phases that are to come remind of
// themselves by the alarms.
func ICS(w io.Writer, entries []Entry, stamp time.Time, alarms []Alarm) error {
	c := ics.NewCalendar()
	c.SetProductId("-//embargo.dev//kubectl-embargo//EN")
	c.SetMethod(ics.MethodPublish)
	c.SetXWRCalName("Bans of restricted vendors")
	for i := range entries {
		e := &entries[i]
		event := e.event(c, stamp)
		if e.state != coming {
			continue // a program that reads the file would sound it at once
		}
		for _, a := range alarms {
			e.alarm(event, a)
		}
	}
	return c.SerializeTo(w, ics.WithNewLineWindows)
}

func (e *Entry) event(c *ics.Calendar, stamp time.Time) *ics.VEvent {
	day := e.Effective.In(e.zone)
	event := c.AddEvent(fmt.Sprintf("%s.%s.%s@embargo.dev", e.Vendor, e.Restriction, e.Phase))
	event.SetDtStampTime(stamp)
	event.SetAllDayStartAt(day)
	event.SetAllDayEndAt(day.AddDate(0, 0, 1))
	event.SetSummary(plain(fmt.Sprintf("%s: %s", e.displayName, e.headline())))
	event.SetDescription(e.description())
	event.AddCategory(e.Audience)
	event.SetTimeTransparency(ics.TransparencyTransparent) // nobody is busy all day for it
	event.SetStatus(ics.ObjectStatusConfirmed)
	if e.Verification == v1alpha1.VerificationUnverified {
		event.SetStatus(ics.ObjectStatusTentative)
	}
	if len(e.Citations) > 0 {
		event.SetURL(e.Citations[0].URL)
	}
	return event
}

// headline is the phase's own words, or its name where it has none.
func (e *Entry) headline() string {
	if e.Summary != "" {
		return e.Summary
	}
	return e.Restriction + " " + e.Phase
}

func (e *Entry) description() string {
	lines := []string{
		fmt.Sprintf("Phase %s of %s, for %s, begins %s (%s).", e.Phase, e.title(), e.Audience, e.local, e.timeZone),
		fmt.Sprintf("Introduce %s, Update %s, Continue %s.", e.Introduce, e.Update, e.Continue),
		e.authority,
	}
	for _, c := range e.Citations {
		lines = append(lines, c.Title+" "+c.URL)
	}
	if doubt := e.Verification.Doubt(); doubt != "" {
		lines = append(lines, "The date is "+doubt+".")
	}
	if e.scope != "" {
		lines = append(lines, "Scope: "+e.scope)
	}
	for i := range lines {
		lines[i] = plain(lines[i])
	}
	return strings.Join(lines, "\n")
}
