package calendar_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/cmd/kubectl-embargo/internal/calendar"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

var stamp = time.Date(2024, 8, 1, 12, 0, 0, 0, time.UTC)

// vendor has text that needs escaping, and phases that begin at a date and at an hour
// which lies on another day in UTC.
func vendor() v1alpha1.RestrictedVendor {
	v := v1alpha1.RestrictedVendor{}
	v.Name = "acme"
	v.Spec.DisplayName = `Acme, "the; maker" \ Ü`
	v.Spec.Restrictions = []v1alpha1.Restriction{{
		Name: "us-test", Authority: "an authority", Audience: "us-persons", TimeZone: "America/New_York",
		Citations: []v1alpha1.Citation{{Title: "Order 1", URL: "https://example.com/1?a=b;c,d"}},
		Scope:     strings.Repeat("Überall, und noch; mehr. ", 30) + "\r\nEND:VEVENT\nBEGIN:VEVENT",
		Schedule: []v1alpha1.Phase{
			{Phase: "announced", Effective: "2024-06-20", Summary: "announced, and then; more\nto come", Introduce: "Warn", Update: "Warn", Continue: "Audit"},
			{Phase: "hour", Effective: "2024-09-29T23:30:00-04:00", Introduce: "Deny", Update: "Deny", Continue: "Warn", Verification: "Unverified"},
		},
	}}
	return v
}

func entries(t *testing.T, at string) []calendar.Entry {
	t.Helper()
	instant, err := policies.ParseInstant(at)
	require.NoError(t, err)
	return calendar.Entries([]v1alpha1.RestrictedVendor{vendor()}, nil, instant)
}

func written(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, calendar.ICS(&b, entries(t, "2024-08-01"), stamp, nil))
	return b.String()
}

func TestACalendarFileIsReadBack(t *testing.T) {
	c, err := ics.ParseCalendar(strings.NewReader(written(t)))
	require.NoError(t, err)
	events := c.Events()
	require.Len(t, events, 2)
	text := func(e *ics.VEvent, p ics.ComponentProperty) string { return e.GetProperty(p).Value }
	first, second := events[0], events[1]
	assert.Equal(t, "acme.us-test.announced@embargo.dev", first.Id())
	assert.Equal(t, "20240620", text(first, ics.ComponentPropertyDtStart))
	assert.Equal(t, "20240621", text(first, ics.ComponentPropertyDtEnd))
	assert.Equal(t, "20240801T120000Z", text(first, ics.ComponentPropertyDtstamp))
	assert.Equal(t, `Acme, "the; maker" \ Ü: announced, and then; more`+"\uFFFDto come", text(first, ics.ComponentPropertySummary))
	assert.Contains(t, text(first, ics.ComponentPropertyDescription), "Introduce Warn, Update Warn, Continue Audit.\nan authority\nOrder 1 https://example.com/1?a=b;c,d\n")
	assert.Equal(t, "https://example.com/1?a=b;c,d", text(first, ics.ComponentPropertyUrl))
	assert.Equal(t, "CONFIRMED", text(first, ics.ComponentPropertyStatus))
	assert.Equal(t, "20240929", text(second, ics.ComponentPropertyDtStart), "the day in the restriction's zone, not in UTC")
	assert.Equal(t, "TENTATIVE", text(second, ics.ComponentPropertyStatus), "its date is not verified")
	assert.Contains(t, text(second, ics.ComponentPropertyDescription), "begins 2024-09-29T23:30:00-04:00 (America/New_York)")
}

// TestACalendarFileIsInForm checks what a lenient reader would let by.
func TestACalendarFileIsInForm(t *testing.T) {
	text := written(t)
	assert.Equal(t, text, written(t), "the same at the same instant")
	lines := strings.Split(strings.TrimSuffix(text, "\r\n"), "\r\n")
	events := 0
	for _, line := range lines {
		assert.LessOrEqual(t, len(line), 75, line)
		assert.NotContains(t, line, "\n", "lines end in CRLF")
		assert.NotEqual(t, '\uFFFD', []rune(line + "x")[0], "no character is cut in two")
		if line == "BEGIN:VEVENT" {
			events++
		}
	}
	assert.Equal(t, 2, events, "text can't begin an event")
	assert.Contains(t, text, "DTSTART;VALUE=DATE:20240620\r\n")
}

func TestStates(t *testing.T) {
	for at, want := range map[string][]string{
		"2024-06-19":           {"coming", "coming"},
		"2024-06-20":           {"in force", "coming"},
		"2024-09-30T03:29:59Z": {"in force", "coming"},
		"2024-09-30T03:30:00Z": {"past", "in force"},
	} {
		var b bytes.Buffer
		require.NoError(t, calendar.Table(&b, entries(t, at), calendar.Columns{}))
		for i, line := range strings.Split(strings.TrimSpace(b.String()), "\n")[1:] {
			assert.Contains(t, line, "  "+want[i]+"  ", "%s: %s", at, line)
		}
	}
}

func picture(t *testing.T, look calendar.Look) []string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, calendar.Picture(&b, entries(t, "2024-08-01"), stamp, look))
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}

func TestThePictureAdaptsToItsReader(t *testing.T) {
	wide := picture(t, calendar.Look{Width: 72, UTF8: true})
	assert.Equal(t, "acme/us-test        ◆▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒│▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒◇███████", wide[2])
	assert.Contains(t, wide[1], "│ 2024-08-01")
	for _, width := range []int{0, 20, 30, 40, 72, 200} {
		for _, line := range picture(t, calendar.Look{Width: width})[:3] {
			assert.LessOrEqual(t, len(line), max(width, 24), "%d: %s", width, line)
			assert.Equal(t, strings.ToValidUTF8(line, ""), line)
			for _, r := range line {
				assert.Less(t, r, rune(128), "ASCII alone")
			}
		}
	}
	assert.Equal(t, "acme/us-test", picture(t, calendar.Look{Width: 30})[2], "the label stands above a narrow line")
	assert.Contains(t, picture(t, calendar.Look{Width: 72, Colour: true})[2], "\x1b[33m")
	assert.NotContains(t, strings.Join(picture(t, calendar.Look{Width: 72}), ""), "\x1b")
}

func TestAPictureBeforeAndAfterEverything(t *testing.T) {
	for _, now := range []time.Time{stamp.AddDate(-20, 0, 0), stamp.AddDate(20, 0, 0), stamp} {
		var b bytes.Buffer
		require.NoError(t, calendar.Picture(&b, entries(t, "2024-08-01"), now, calendar.Look{Width: 80}))
		assert.Contains(t, b.String(), now.Format(time.DateOnly))
	}
	var b bytes.Buffer
	require.NoError(t, calendar.Picture(&b, nil, stamp, calendar.Look{Width: 80}))
	assert.Empty(t, b.String())
}

func TestAlarmsRemindOfWhatIsToCome(t *testing.T) {
	var alarms []calendar.Alarm
	for _, text := range []string{"2w", "30d", "12h", "45m", "0d"} {
		a, err := calendar.ParseAlarm(text)
		require.NoError(t, err)
		alarms = append(alarms, a)
	}
	var b bytes.Buffer
	require.NoError(t, calendar.ICS(&b, entries(t, "2024-08-01"), stamp, alarms))
	c, err := ics.ParseCalendar(strings.NewReader(b.String()))
	require.NoError(t, err)
	require.Len(t, c.Events(), 2)
	assert.Empty(t, c.Events()[0].Alarms(), "it has begun")
	var triggers []string
	for _, a := range c.Events()[1].Alarms() {
		triggers = append(triggers, a.GetProperty(ics.ComponentPropertyTrigger).Value)
		assert.Equal(t, "DISPLAY", a.GetProperty(ics.ComponentPropertyAction).Value)
		assert.Contains(t, a.GetProperty(ics.ComponentPropertyDescription).Value, "us-test hour on 2024-09-29T23:30:00-04:00")
	}
	assert.Equal(t, []string{"-P2W", "-P30D", "-PT12H", "-PT45M", "PT0S"}, triggers)
	for _, bad := range []string{"", "d", "-3d", "3", "3 days", "1d12h", "99999d", "P3D"} {
		_, err := calendar.ParseAlarm(bad)
		assert.ErrorContains(t, err, "such as 2w, 30d, 12h or 0d", bad)
	}
}

func TestUpcomingPhasesAreInOrderOfTime(t *testing.T) {
	all := entries(t, "2024-06-01")
	later := vendor()
	later.Name = "beta"
	later.Spec.Restrictions[0].Schedule = later.Spec.Restrictions[0].Schedule[:1]
	instant, err := policies.ParseInstant("2024-06-01")
	require.NoError(t, err)
	all = append(all, calendar.Entries([]v1alpha1.RestrictedVendor{later}, nil, instant)...)
	var order []string
	for _, e := range calendar.Upcoming(all) {
		order = append(order, e.Vendor+" "+e.Phase)
	}
	assert.Equal(t, []string{"acme announced", "beta announced", "acme hour"}, order)

	entries := entries(t, "2024-08-01")
	upcoming := calendar.Upcoming(entries)
	require.Len(t, upcoming, 1)
	assert.Len(t, calendar.OfSame(append(entries, all[2]), upcoming), 2, "the past of the same restriction, and no other")
	var b bytes.Buffer
	require.NoError(t, calendar.Table(&b, upcoming, calendar.Columns{Left: true}))
	assert.Regexp(t, `EFFECTIVE +IN +INTRODUCE`, b.String())
	assert.Regexp(t, `2024-09-29T23:30:00-04:00 +59 days +Deny`, b.String())
	assert.Empty(t, calendar.Upcoming(nil))
}

func TestTheTableShowsTheTimeOfNearPhases(t *testing.T) {
	for at, want := range map[string]string{
		"2024-06-19T12:00:00-04:00": `2024-06-20 00:00 EDT \(12 hours left\) +coming`,
		"2024-06-20T12:00:00-04:00": `2024-06-20 00:00 EDT +in force`,
		"2024-06-30":                `2024-06-20 +in force`,
		"2024-09-29":                `2024-09-29 23:30 EDT \(23 hours left\) +coming`,
	} {
		var b bytes.Buffer
		require.NoError(t, calendar.Table(&b, entries(t, at), calendar.Columns{}))
		assert.Regexp(t, want, b.String(), at)
	}
}
