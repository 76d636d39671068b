package fairness_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"embargo.dev/webhook/fairness"
)

// TestQueueTakesTurns: a flood of one source waits behind itself only.
func TestQueueTakesTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		queue := fairness.NewQueue(2)
		first, err := queue.Enter(t.Context(), source(1))
		require.NoError(t, err)
		second, err := queue.Enter(t.Context(), source(2))
		require.NoError(t, err)
		var mu sync.Mutex
		var order []int
		var all sync.WaitGroup
		wait := func(n int) {
			all.Go(func() {
				place, err := queue.Enter(t.Context(), source(n))
				if assert.NoError(t, err) {
					mu.Lock()
					order = append(order, n)
					mu.Unlock()
					place.Leave()
				}
			})
			synctest.Wait() // until it waits, so that the order is known
		}
		for range 50 {
			wait(1)
		}
		wait(2)
		wait(3)
		second.Leave()
		synctest.Wait()
		first.Leave()
		all.Wait()
		require.Len(t, order, 52)
		assert.ElementsMatch(t, []int{1, 2, 3}, order[:3], "one of each source comes before the second of any")
	})
}

func TestQueueKeepsAPlaceForTheNextSource(t *testing.T) {
	queue := fairness.NewQueue(4)
	soon, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	for range 2 {
		_, err := queue.Enter(t.Context(), source(1))
		require.NoError(t, err)
	}
	_, err := queue.Enter(soon, source(1))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = queue.Enter(t.Context(), source(2))
	require.NoError(t, err)
	_, err = queue.Enter(t.Context(), source(3))
	require.NoError(t, err)
}

func TestQueueForgetsWhoGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		queue := fairness.NewQueue(1)
		place, err := queue.Enter(t.Context(), source(1))
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		var impatient sync.WaitGroup
		impatient.Go(func() {
			_, err := queue.Enter(ctx, source(2))
			assert.ErrorIs(t, err, context.Canceled)
		})
		synctest.Wait()
		cancel()
		impatient.Wait()
		place.Leave()
		place.Leave()
		for range 3 {
			again, err := queue.Enter(t.Context(), source(2))
			require.NoError(t, err)
			again.Leave()
			require.NoError(t, again.Enter(t.Context()))
			require.NoError(t, again.Enter(t.Context()), "entering twice is entering once")
			again.Leave()
		}
	})
}

// TestQueueProperties: never more inside than there are places, nor more of a source than
// its share when it enters; whoever doesn't give up gets in; all places come back.
func TestQueueProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		places := rapid.IntRange(1, 6).Draw(rt, "places")
		callers := rapid.SliceOfN(rapid.IntRange(1, 4), 1, 40).Draw(rt, "callers")
		impatient := rapid.SliceOfN(rapid.Bool(), len(callers), len(callers)).Draw(rt, "impatient")
		synctest.Test(t, func(t *testing.T) {
			queue := fairness.NewQueue(places)
			var mu sync.Mutex
			inside, total := map[int]int{}, 0
			var all sync.WaitGroup
			for i, n := range callers {
				all.Go(func() {
					ctx, cancel := t.Context(), context.CancelFunc(func() {})
					if impatient[i] {
						ctx, cancel = context.WithTimeout(ctx, time.Duration(i)*time.Millisecond)
					}
					defer cancel()
					place, err := queue.Enter(ctx, source(n))
					if err != nil {
						assert.True(t, impatient[i])
						return
					}
					mu.Lock()
					total++
					inside[n]++
					assert.LessOrEqual(t, total, places)
					assert.LessOrEqual(t, inside[n], (places+1)/2, "half, and one of an odd number")
					mu.Unlock()
					time.Sleep(time.Duration(n) * time.Millisecond) // of the test's own clock
					mu.Lock()
					total--
					inside[n]--
					mu.Unlock()
					place.Leave()
				})
			}
			all.Wait()
			for n := range places {
				_, err := queue.Enter(t.Context(), source(100+n))
				require.NoError(t, err)
			}
		})
	})
}
