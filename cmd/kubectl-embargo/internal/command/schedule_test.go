package command_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheScheduleIsAsTheContractSays(t *testing.T) {
	a := run(t, "", "schedule", "kaspersky", "--audience", "us-persons", "-o", "json")
	assert.Equal(t, 0, a.code, a.stderr)
	want, err := os.ReadFile("testdata/schedule.json")
	require.NoError(t, err)
	assert.Equal(t, string(want), a.stdout)
}

func TestTheScheduleAtADate(t *testing.T) {
	t.Setenv("COLUMNS", "80")
	a := run(t, "", "schedule", "kaspersky", "--as-of", "2024-08-01", "--audience", "us-persons,us-federal-civilian")
	assert.Equal(t, 0, a.code, a.stderr)
	want, err := os.ReadFile("testdata/schedule.txt")
	require.NoError(t, err)
	assert.Equal(t, string(want), a.stdout)
}

func TestTheScheduleToCome(t *testing.T) {
	t.Setenv("COLUMNS", "80")
	a := run(t, "", "schedule", "kaspersky", "--upcoming", "--as-of", "2024-09-28T12:00:00Z", "--audience", "us-persons,us-federal-civilian")
	assert.Equal(t, 0, a.code, a.stderr)
	assert.Regexp(t, `(?m)^kaspersky +us-icts +us-persons +updates-prohibited +2024-09-29 00:00 EDT +16 hours +Deny`, a.stdout)
	assert.NotContains(t, a.stdout, "sales-prohibited")
	assert.NotContains(t, a.stdout, "us-bod-17-01", "nothing of it is to come")
	assert.Regexp(t, `(?m)^kaspersky/us-icts .*\+.*o`, a.stdout, "the picture has the past too")
	var entries []map[string]any
	a = run(t, "", "schedule", "--upcoming", "--as-of", "2024-09-28", "-o", "json")
	require.NoError(t, json.Unmarshal([]byte(a.stdout), &entries))
	require.NotEmpty(t, entries)
	for i, e := range entries {
		assert.Greater(t, e["effective"], "2024-09-28")
		assert.True(t, i == 0 || entries[i-1]["effective"].(string) <= e["effective"].(string))
	}
	a = run(t, "", "schedule", "kaspersky", "--upcoming", "--as-of", "2090-01-01", "-o", "json")
	assert.Equal(t, "[]\n", a.stdout)
	assert.Contains(t, a.stderr, "no phase of these restrictions is to come")
}

func TestTheScheduleRemindsOfWhatIsToCome(t *testing.T) {
	a := run(t, "", "schedule", "kaspersky", "-o", "ics", "--as-of", "2024-08-01", "--audience", "us-persons", "--alarm", "30d,12h")
	assert.Equal(t, 0, a.code, a.stderr)
	assert.Equal(t, 2, strings.Count(a.stdout, "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-P"), "only one phase is to come")
	for says, args := range map[string][]string{
		`--alarm "soon": want a number of weeks`:          {"-o", "ics", "--alarm", "soon"},
		"--alarm goes with -o ics, not with -o table":     {"--alarm", "3d"},
		"--alarm goes with -o ics, not with -o json":      {"--alarm", "3d", "-o", "JSON"},
		`--alarm "": want a number of weeks, days, hours`: {"-o", "ics", "--alarm="},
	} {
		a := run(t, "", append([]string{"schedule"}, args...)...)
		assert.Equal(t, 2, a.code, says)
		assert.Contains(t, a.stderr, says)
	}
}

func TestAScheduleOfNobody(t *testing.T) {
	a := run(t, "", "schedule", "kasperski")
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.stderr, `vendor "kasperski" is not on the list, which has `)
	a = run(t, "", "schedule", "--audience", "nobody", "-o", "json")
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.stderr, `--audience "nobody": no restriction on the list is for it`)
	a = run(t, "", "schedule", "tencent", "--audience", "us-persons", "-o", "json")
	assert.Equal(t, 0, a.code)
	var entries []any
	require.NoError(t, json.Unmarshal([]byte(a.stdout), &entries))
	assert.Empty(t, entries)
	assert.Contains(t, a.stderr, "no restriction of these vendors is for these audiences")
}

// TestDatesInDoubtAreRemarkedOn: a line for all that were read in reports only, and one
// for all that were not read at all.
func TestDatesInDoubtAreRemarkedOn(t *testing.T) {
	a := run(t, "", "schedule", "zte", "-o", "wide")
	assert.Contains(t, a.stderr, "notice: 1 date is known from reports only, not from the primary text (-o wide says it of each): zte/us-denial-order denied\n")
	assert.Contains(t, a.stderr, "notice: 1 date is not verified in any source (-o wide says it of each): zte/us-denial-order lifted\n")
	assert.Regexp(t, `denied .* Reported `, a.stdout)
	assert.Regexp(t, `lifted .* Unverified `, a.stdout)

	a = run(t, "", "schedule")
	assert.Equal(t, 2, strings.Count(a.stderr, " (-o wide says it of each)"), a.stderr)
	a = run(t, "", "schedule", "zte", "-o", "ics")
	assert.Contains(t, a.stdout, "The date is known from reports only")
}

func TestAScheduleOfAFileNamesWhatIsWrong(t *testing.T) {
	list := write(t, "list.yaml", strings.Replace(acmeVendor, "America/New_York", "America/NewYork", 1))
	a := run(t, "", "schedule", "--list", list)
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.stderr, `did you mean "America/New_York"?`)
	assert.Contains(t, a.stderr, "list.yaml:")
}

const acmeVendor = `apiVersion: embargo.dev/v1alpha1
kind: RestrictedVendor
metadata: {name: acme}
spec:
  displayName: Acme; Ltd, "the\n maker"
  images: {repositories: [{pattern: "registry.acme.example/**"}]}
  restrictions:
    - name: us-test
      authority: an authority
      citations: [{title: Order 1, url: "https://example.com/1"}]
      audience: us-persons
      timeZone: America/New_York
      schedule:
        - {phase: announced, effective: "2024-06-20", summary: "announced, and then; more \\ to come", introduce: Warn, update: Warn, continue: Audit}
        - {phase: hour, effective: "2024-09-29T23:30:00-04:00", introduce: Deny, update: Deny, continue: Warn, verification: Unverified}
`
