package registration

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"embargo.dev/internal/trigger"
)

// round is how a round of a Registrar ended.
type round struct {
	outcome Outcome
	reason  string
	err     error
}

var (
	waiting = round{outcome: Waiting, reason: "there is no serving certificate yet"}
	failing = round{err: errors.New("the API server can't be reached")}
	ended   = round{outcome: InPlace}
	pausing = round{outcome: Paused, reason: "admission is paused"}
)

// reported returns the state of a Registrar that has led for a while, from another state on.
func reported(t *testing.T, before State, after time.Duration, rounds ...round) State {
	t.Helper()
	began := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	now := began
	r := &Registrar{options: Options{Clock: func() time.Time { return now }}, leadingSince: began, changed: trigger.New(), state: before}
	for i, end := range rounds {
		now = began.Add(after * time.Duration(i+1))
		r.report(t.Context(), State{RuleSet: "b"}.after(end.outcome, end.reason), end.err)
	}
	return r.State()
}

// TestANewLeaderLooksBeforeItReports: what it lacks at first says nothing about the
// configuration that the leader before it wrote.
func TestANewLeaderLooksBeforeItReports(t *testing.T) {
	begun := State{Reason: "the leader has not looked yet"}
	assert.Equal(t, begun, reported(t, begun, time.Second, waiting))
	assert.Equal(t, begun, reported(t, begun, time.Second, failing))
	assert.Equal(t, State{Outcome: Waiting, RuleSet: "b", Reason: waiting.reason}, reported(t, begun, patience, waiting))
	assert.Equal(t, State{Outcome: Failed, RuleSet: "b", Reason: failing.err.Error()}, reported(t, begun, patience, failing, failing))
	assert.Equal(t, State{Outcome: InPlace, RuleSet: "b"}, reported(t, begun, time.Second, waiting, ended))
	assert.Equal(t, State{Outcome: Paused, RuleSet: "b", Reason: pausing.reason}, reported(t, begun, time.Second, pausing))
}

// TestAPassingFailureIsNotReported: what was written is in force while one round fails.
func TestAPassingFailureIsNotReported(t *testing.T) {
	there := State{Outcome: InPlace, RuleSet: "a"}
	assert.Equal(t, there, reported(t, there, time.Second, failing))
	assert.Equal(t, there, reported(t, there, patience/2, failing, failing))
	assert.Equal(t, State{Outcome: Failed, RuleSet: "b", Reason: failing.err.Error()}, reported(t, there, patience/2, failing, failing, failing))
	assert.True(t, reported(t, there, patience, failing, ended, failing, ended, failing).Registered(), "it was mended in between")
	assert.False(t, reported(t, there, time.Second, waiting).Registered(), "as when the ClusterRole is gone")
	assert.False(t, reported(t, there, time.Second, pausing).Registered())
}
