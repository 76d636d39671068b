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

// size is the size of a review, large enough that what a decision takes counts.
const size = 1 << 20

// decide takes a place for as long as a decision takes, and returns how long it waited.
func decide(t *testing.T, shared *limits.Limits, source fairness.Source, takes time.Duration) time.Duration {
	t.Helper()
	start := time.Now()
	_, done, err := shared.Decide(t.Context(), source, size)
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
				_, done, err := shared.Decide(t.Context(), flood, size)
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

// TestRequestsHaveAShareOfTheTime: a flood of requests that are answered at once, such as for
// a path that isn't there, never reads a body and decides nothing.
func TestRequestsHaveAShareOfTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := newOnTwoCPUs(t)
		request := func(ctx context.Context, source fairness.Source) error {
			release, err := shared.Request(ctx, source, func() {})
			if err == nil {
				release()
			}
			return err
		}
		start := time.Now()
		for range 20_000 {
			require.NoError(t, request(t.Context(), flood))
		}
		assert.InDelta(t, 3, time.Since(start).Seconds(), 0.1, "5,000 at once, and 5,000 a second")
		start = time.Now()
		require.NoError(t, request(t.Context(), apiServer))
		assert.Zero(t, time.Since(start))

		soon, cancel := context.WithTimeout(t.Context(), 10*time.Microsecond)
		defer cancel()
		for range 600 { // none keeps its place
			require.ErrorIs(t, request(soon, flood), limits.ErrTooMuchWork)
		}
		require.NoError(t, request(t.Context(), flood))
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
		took, err := read(t.Context(), flood, 50)
		require.NoError(t, err)
		assert.Zero(t, took, "a burst")
		took, err = read(t.Context(), flood, 50)
		require.NoError(t, err)
		assert.InDelta(t, 0.9, took.Seconds(), 0.15)
		took, err = read(t.Context(), apiServer, 20)
		require.NoError(t, err)
		assert.Zero(t, took)

		soon, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err = read(soon, flood, 200)
		require.ErrorIs(t, err, limits.ErrTooMuchWork)
	})
}

// TestASlowNodeIsNotTheCallersWork: a small review can't have taken much CPU time, however
// long it took.
func TestASlowNodeIsNotTheCallersWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := newOnTwoCPUs(t)
		start := time.Now()
		for range 100 {
			_, done, err := shared.Decide(t.Context(), apiServer, 5<<10)
			require.NoError(t, err)
			time.Sleep(20 * time.Millisecond)
			done()
		}
		assert.Equal(t, 2*time.Second, time.Since(start), "no decision waits")
	})
}

func TestPreviewsHaveATimeOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := newOnTwoCPUs(t)
		preview := func(source fairness.Source) bool {
			ctx, leave, err := shared.Decide(t.Context(), source, 0)
			require.NoError(t, err)
			defer leave()
			done, ok := shared.Preview(ctx)
			if ok {
				time.Sleep(time.Second)
				done()
			}
			return ok
		}
		made := 0
		for preview(flood) {
			made++
		}
		assert.Equal(t, 7, made, "five seconds, and a quarter of the time that they took")
		assert.True(t, preview(apiServer))
		assert.Zero(t, decide(t, shared, flood, 0), "decisions don't wait for it")
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
