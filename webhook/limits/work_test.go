package limits_test

import (
	"context"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/webhook/fairness"
	"embargo.dev/webhook/limits"
)

// newOnTwoCPUs returns the limits on a machine with two CPUs.
func newOnTwoCPUs(t *testing.T) *limits.Limits {
	t.Helper()
	before := runtime.GOMAXPROCS(2)
	defer runtime.GOMAXPROCS(before)
	return limits.New()
}

// decide takes a place for as long as a decision takes, and returns how long it waited.
func decide(t *testing.T, shared *limits.Limits, source fairness.Source, takes time.Duration) time.Duration {
	t.Helper()
	start := time.Now()
	_, done, err := shared.Decide(t.Context(), source)
	require.NoError(t, err)
	defer done()
	waited := time.Since(start)
	time.Sleep(takes)
	return waited
}

// TestDecisionsHaveAShareOfTheTime: a source that has used its burst gets its share of a
// CPU, whatever each of its decisions takes, and others don't wait.
func TestDecisionsHaveAShareOfTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := newOnTwoCPUs(t)
		var worked time.Duration
		start := time.Now()
		for time.Since(start) < time.Minute {
			decide(t, shared, flood, 10*time.Millisecond)
			worked += 10 * time.Millisecond
		}
		assert.InDelta(t, 15.25, worked.Seconds(), 0.25, "a quarter of the time, and a burst")
		assert.Zero(t, decide(t, shared, apiServer, time.Millisecond))
	})
}

// TestManyWhoWaitDontOverdraw: those who wait together don't all start once there is time.
func TestManyWhoWaitDontOverdraw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := newOnTwoCPUs(t)
		decide(t, shared, flood, 250*time.Millisecond)
		start := time.Now()
		ended := make(chan time.Duration)
		for range 2000 {
			go func() {
				_, done, err := shared.Decide(t.Context(), flood)
				if assert.NoError(t, err) {
					done()
				}
				ended <- time.Since(start)
			}()
		}
		var last time.Duration
		for range 2000 {
			last = max(last, <-ended)
		}
		assert.InDelta(t, 0.8, last.Seconds(), 0.1, "2,000 times 0.1 ms, at a quarter of a CPU")
	})
}

func TestBodiesAreReadAtTheSourcesPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := newOnTwoCPUs(t)
		read := func(ctx context.Context, source fairness.Source, mib int) (time.Duration, error) {
			start := time.Now()
			_, err := io.Copy(io.Discard, shared.Body(ctx, source, strings.NewReader(strings.Repeat("x", mib<<20))))
			return time.Since(start), err
		}
		took, err := read(t.Context(), flood, 60)
		require.NoError(t, err)
		assert.Zero(t, took, "a burst")
		took, err = read(t.Context(), flood, 60)
		require.NoError(t, err)
		assert.InDelta(t, 0.9, took.Seconds(), 0.1)
		took, err = read(t.Context(), apiServer, 20)
		require.NoError(t, err)
		assert.Zero(t, took)

		soon, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err = read(soon, flood, 200)
		require.ErrorIs(t, err, limits.ErrTooMuchWork)
	})
}

func TestUnpaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := limits.New().Unpaced()
		for range 100 {
			assert.Zero(t, decide(t, shared, flood, time.Second))
		}
	})
}
