package registration

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"embargo.dev/webhook/trigger"
)

// TestANewLeaderLooksBeforeItTells: what it lacks at first is no news of the
// configuration that the one before wrote.
func TestANewLeaderLooksBeforeItTells(t *testing.T) {
	began := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	for name, c := range map[string]struct {
		after  time.Duration
		err    error
		looked bool
	}{
		"it has no certificate yet":     {time.Second, errNotYet("there is no serving certificate yet"), false},
		"it still has none":             {settleIn, errNotYet("there is no serving certificate yet"), true},
		"admission is paused":           {time.Second, errPaused{began}, true},
		"the API server refuses":        {time.Second, errors.New("it is too large"), true},
		"everything is as it should be": {time.Second, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			now := began
			r := &Registrar{options: Options{Clock: func() time.Time { return now }}, leadingSince: began, changed: trigger.New()}
			now = began.Add(c.after)
			r.report(t.Context(), State{}, c.err)
			assert.Equal(t, c.looked, r.State().Looked)
			assert.Equal(t, c.err == nil, r.State().Registered)
			r.report(t.Context(), State{}, nil)
			now = began.Add(2 * time.Second)
			r.report(t.Context(), State{}, errNotYet("the ClusterRole isn't there"))
			assert.True(t, r.State().Looked, "whoever has looked knows")
			assert.False(t, r.State().Registered)
		})
	}
}
