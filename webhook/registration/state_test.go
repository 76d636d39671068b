package registration

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"embargo.dev/webhook/trigger"
)

// told is what a Registrar says that has led for a while, after having said something
// else before.
func told(t *testing.T, before State, after time.Duration, errs ...error) State {
	t.Helper()
	began := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	now := began
	r := &Registrar{options: Options{Clock: func() time.Time { return now }}, leadingSince: began, changed: trigger.New(), state: before}
	for i, err := range errs {
		now = began.Add(after * time.Duration(i+1))
		r.report(t.Context(), State{RuleSet: "b"}, err)
	}
	return r.State()
}

var (
	errLacking = errNotYet("there is no serving certificate yet")
	errRefused = errors.New("the API server can't be reached")
)

// TestANewLeaderLooksBeforeItTells: what it lacks at first is no news of the
// configuration that the one before wrote.
func TestANewLeaderLooksBeforeItTells(t *testing.T) {
	begun := State{Reason: "the leader has not looked yet"}
	assert.Equal(t, begun, told(t, begun, time.Second, errLacking))
	assert.Equal(t, begun, told(t, begun, time.Second, errRefused))
	assert.Equal(t, State{Looked: true, RuleSet: "b", Reason: errLacking.Error()}, told(t, begun, patience, errLacking))
	assert.Equal(t, State{Looked: true, RuleSet: "b", Reason: errRefused.Error()}, told(t, begun, patience, errRefused, errRefused))
	assert.Equal(t, State{Looked: true, Registered: true, RuleSet: "b"}, told(t, begun, time.Second, errLacking, nil))
	paused := told(t, begun, time.Second, errPaused{})
	assert.True(t, paused.Looked)
	assert.Contains(t, paused.Reason, "admission is paused")
}

// TestAPassingFailureIsNoNews: what was written is in force while one round fails.
func TestAPassingFailureIsNoNews(t *testing.T) {
	there := State{Looked: true, Registered: true, RuleSet: "a"}
	assert.Equal(t, there, told(t, there, time.Second, errRefused))
	assert.Equal(t, there, told(t, there, patience/2, errRefused, errRefused))
	assert.Equal(t, State{Looked: true, RuleSet: "b", Reason: errRefused.Error()}, told(t, there, patience/2, errRefused, errRefused, errRefused))
	assert.True(t, told(t, there, patience, errRefused, nil, errRefused, nil, errRefused).Registered, "it has been mended in between")
	assert.False(t, told(t, there, time.Second, errLacking).Registered, "as when the ClusterRole has gone")
	assert.False(t, told(t, there, time.Second, errPaused{}).Registered)
}
