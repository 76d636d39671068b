package schedule_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"pgregory.net/rapid"

	"embargo.dev/policies/schedule"
	"embargo.dev/policies/v1alpha1"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := schedule.LoadZone(name)
	require.NoError(t, err)
	return z
}

func instant(t testing.TB, text string) time.Time {
	t.Helper()
	i, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return i
}

func TestZonesComeFromTheProgramAlone(t *testing.T) {
	t.Setenv("ZONEINFO", "/nonexistent")
	t.Setenv("TZ", "Asia/Tokyo")
	got, err := schedule.Instant("2024-09-29", zone(t, "America/New_York"))
	require.NoError(t, err)
	assert.Equal(t, instant(t, "2024-09-29T04:00:00Z"), got)
}

func TestUnknownZones(t *testing.T) {
	for name, hint := range map[string]string{
		"America/New_Yrok": `did you mean "America/New_York"`,
		"america/new_york": `did you mean "America/New_York"`,
		"Europe/Berln":     `did you mean "Europe/Berlin"`,
		"":                 "want a name such as America/New_York",
		"Local":            "is no IANA time zone",
		"../etc/passwd":    "is no IANA time zone",
	} {
		_, err := schedule.LoadZone(name)
		require.ErrorContains(t, err, hint, name)
	}
}

func TestInstant(t *testing.T) {
	for _, c := range []struct{ effective, zone, want string }{
		{"2024-07-20", "America/New_York", "2024-07-20T04:00:00Z"},
		{"2024-12-20", "America/New_York", "2024-12-20T05:00:00Z"},
		{"2024-03-10", "America/New_York", "2024-03-10T05:00:00Z"}, // clocks go forward on that day
		{"2024-03-11", "America/New_York", "2024-03-11T04:00:00Z"},
		{"2024-11-03", "America/New_York", "2024-11-03T04:00:00Z"}, // and back on that one
		{"2024-11-04", "America/New_York", "2024-11-04T05:00:00Z"},
		{"2025-04-01", "Australia/Sydney", "2025-03-31T13:00:00Z"},
		{"2024-02-29", "UTC", "2024-02-29T00:00:00Z"},
		{"2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00Z"}, // there was no midnight
		{"2024-04-26", "Africa/Cairo", "2024-04-25T22:00:00Z"},      // nor there
		{"2010-11-07", "America/St_Johns", "2010-11-07T02:30:00Z"},  // a minute after midnight it was the day before again
		{"2011-12-31", "Pacific/Apia", "2011-12-30T10:00:00Z"},
		{"2024-09-29T12:00:00+02:00", "America/New_York", "2024-09-29T10:00:00Z"},
	} {
		got, err := schedule.Instant(c.effective, zone(t, c.zone))
		require.NoError(t, err, c.effective)
		assert.Equal(t, instant(t, c.want), got, "%s in %s", c.effective, c.zone)
	}
	for effective, why := range map[string]string{
		"2024-02-30": "is neither a date", "2024-13-01": "is neither a date", "20240101": "is neither a date", "": "is neither a date", "2024-01-01T25:00:00Z": "is neither a date",
		"2024-01-01T4:00:00Z": "is neither a date", "2024-01-01T04:00:00,5Z": "is neither a date", "2024-01-01 04:00:00Z": "is neither a date", "2024-01-01T04:00Z": "is neither a date", "2024-01-01T04:00:00": "is neither a date",
	} {
		_, err := schedule.Instant(effective, time.UTC)
		require.ErrorContains(t, err, why, effective)
	}
	_, err := schedule.Instant("2011-12-30", zone(t, "Pacific/Apia"))
	require.ErrorContains(t, err, "there was no 2011-12-30 in Pacific/Apia")
}

func phase(name, effective string, actions ...v1alpha1.Action) v1alpha1.Phase {
	p := v1alpha1.Phase{Phase: name, Effective: effective, Introduce: "Warn", Update: "Warn", Continue: "Audit"}
	if len(actions) == 3 {
		p.Introduce, p.Update, p.Continue = actions[0], actions[1], actions[2]
	}
	return p
}

func compile(t testing.TB, zoneName string, phases ...v1alpha1.Phase) *schedule.Schedule {
	t.Helper()
	s, errs := schedule.Compile(field.NewPath("r"), zoneName, phases)
	require.Empty(t, errs)
	return s
}

func TestAt(t *testing.T) {
	s := compile(t, "America/New_York",
		phase("announced", "2024-06-20"), phase("sales", "2024-07-20", "Deny", "Warn", "Warn"), phase("updates", "2024-09-29", "Deny", "Deny", "Warn"))
	for _, c := range []struct {
		now     string
		lead    int32
		in, nxt string
	}{
		{"2024-06-20T03:59:59Z", 0, "", "announced"},
		{"2024-06-20T04:00:00Z", 0, "announced", "sales"},
		{"2024-07-20T03:59:59.999Z", 0, "announced", "sales"},
		{"2024-07-20T04:00:00Z", 0, "sales", "updates"},
		{"2024-09-29T03:59:59Z", 0, "sales", "updates"},
		{"2024-09-29T04:00:00Z", 0, "updates", ""},
		{"2024-08-30T03:59:59Z", 30, "sales", "updates"},
		{"2024-08-30T04:00:00Z", 30, "updates", ""},
	} {
		in, next := s.At(instant(t, c.now), c.lead)
		assert.Equal(t, c.in, name(in), c.now)
		assert.Equal(t, c.nxt, name(next), c.now)
	}
}

func name(p *schedule.Phase) string {
	if p == nil {
		return ""
	}
	return p.Phase.Phase
}

func TestLeadTimeCountsCalendarDays(t *testing.T) {
	s := compile(t, "America/New_York", phase("dated", "2024-03-20"), phase("timed", "2024-11-10T12:00:00-05:00"))
	assert.Equal(t, instant(t, "2024-03-06T05:00:00Z"), s.Phases()[0].Begins(14), "midnight before the clocks go forward")
	assert.Equal(t, instant(t, "2024-10-27T16:00:00Z"), s.Phases()[1].Begins(14), "noon before the clocks go back")
	assert.Equal(t, instant(t, "2024-02-29T05:00:00Z"), s.Phases()[0].Begins(20))
}

func TestCompileRefuses(t *testing.T) {
	relaxed := phase("b", "2024-02-01", "Allow", "Allow", "Allow")
	relaxed.Change = v1alpha1.ChangeRelaxes
	needless := phase("b", "2024-02-01")
	needless.Change = v1alpha1.ChangeRelaxes
	unknown := phase("a", "2024-01-01", "Refuse", "Warn", "Warn")
	for label, c := range map[string]struct {
		zone   string
		phases []v1alpha1.Phase
		want   string
	}{
		"unknown zone":     {"America/New_Yrok", []v1alpha1.Phase{phase("a", "2024-01-01")}, `r.timeZone: Invalid value: "America/New_Yrok"`},
		"no phases":        {"UTC", nil, "r.schedule: Required value"},
		"impossible date":  {"UTC", []v1alpha1.Phase{phase("a", "2024-02-30")}, `r.schedule[0].effective: Invalid value: "2024-02-30"`},
		"out of order":     {"UTC", []v1alpha1.Phase{phase("a", "2024-02-01"), phase("b", "2024-01-01")}, `r.schedule[1].effective: Invalid value: "2024-01-01": phases stand in order of time`},
		"mixed order":      {"America/New_York", []v1alpha1.Phase{phase("a", "2024-02-01"), phase("b", "2024-02-01T04:59:59Z")}, `r.schedule[1].effective`},
		"same instant":     {"America/New_York", []v1alpha1.Phase{phase("a", "2024-02-01"), phase("b", "2024-02-01T05:00:00Z")}, `r.schedule[1].effective`},
		"same name":        {"UTC", []v1alpha1.Phase{phase("a", "2024-01-01"), phase("a", "2024-02-01")}, `r.schedule[1].phase: Duplicate value: "a"`},
		"weaker":           {"UTC", []v1alpha1.Phase{phase("a", "2024-01-01", "Deny", "Warn", "Audit"), phase("b", "2024-02-01", "Warn", "Warn", "Audit")}, `r.schedule[1].introduce: Invalid value: "Warn": is weaker than Deny of phase "a" before it: say change: Relaxes`},
		"needless Relaxes": {"UTC", []v1alpha1.Phase{phase("a", "2024-01-01"), needless}, `r.schedule[1].change`},
		"unknown action":   {"UTC", []v1alpha1.Phase{unknown}, `r.schedule[0].introduce: Unsupported value: "Refuse"`},
	} {
		t.Run(label, func(t *testing.T) {
			_, errs := schedule.Compile(field.NewPath("r"), c.zone, c.phases)
			require.NotEmpty(t, errs)
			assert.Contains(t, errs.ToAggregate().Error(), c.want)
		})
	}
	_, errs := schedule.Compile(field.NewPath("r"), "UTC", []v1alpha1.Phase{phase("a", "2024-01-01"), relaxed})
	assert.Empty(t, errs)
}

func TestTransitionsAgreeWithThePhasesInForce(t *testing.T) {
	zones := []string{"UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo"}
	rapid.Check(t, func(t *rapid.T) {
		day := time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC)
		var phases []v1alpha1.Phase
		for i := range rapid.IntRange(1, 6).Draw(t, "phases") {
			day = day.AddDate(0, 0, rapid.IntRange(2, 400).Draw(t, "days"))
			effective := day.Format(time.DateOnly)
			if rapid.Bool().Draw(t, "timed") {
				effective = day.Add(12 * time.Hour).Format(time.RFC3339)
			}
			phases = append(phases, phase(fmt.Sprint("p", i), effective))
		}
		s, errs := schedule.Compile(field.NewPath("r"), rapid.SampledFrom(zones).Draw(t, "zone"), phases)
		require.Empty(t, errs)
		lead := rapid.SampledFrom([]int32{0, 1, 30, 365}).Draw(t, "lead")
		now := time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)
		for range phases {
			next, ok := s.NextTransition(now, lead)
			require.True(t, ok)
			require.True(t, next.After(now))
			before, coming := s.At(next.Add(-time.Nanosecond), lead)
			after, _ := s.At(next, lead)
			require.NotEqual(t, name(before), name(after))
			require.Equal(t, name(coming), name(after))
			now = next
		}
		_, ok := s.NextTransition(now, lead)
		require.False(t, ok)
	})
}

func FuzzInstant(f *testing.F) {
	f.Add("2024-09-29", "America/New_York")
	f.Add("2024-09-29T04:00:00Z", "UTC")
	f.Add("2011-12-30", "Pacific/Apia")
	f.Fuzz(func(t *testing.T, effective, zoneName string) {
		z, err := schedule.LoadZone(zoneName)
		if err != nil {
			return
		}
		got, err := schedule.Instant(effective, z)
		if err != nil || len(effective) != len(time.DateOnly) {
			return
		}
		require.Equal(t, effective, got.In(z).Format(time.DateOnly))
		require.NotEqual(t, effective, got.Add(-time.Second).In(z).Format(time.DateOnly), "a second earlier it is another day")
	})
}
