package fairness_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/webhook/fairness"
)

func TestRatesAreOfEachSource(t *testing.T) {
	rates := fairness.NewRates(0.001, 2)
	assert.True(t, rates.Allow(source(1)))
	assert.True(t, rates.Allow(source(1)))
	assert.False(t, rates.Allow(source(1)))
	assert.True(t, rates.Allow(source(2)))

	soon, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	start := time.Now()
	require.Error(t, rates.Wait(soon, source(1)))
	assert.Less(t, time.Since(start), time.Second, "it doesn't wait in vain")
}

// TestRatesRememberASourceThatUsedItsBurst: many other sources don't make it be forgotten.
func TestRatesRememberASourceThatUsedItsBurst(t *testing.T) {
	rates := fairness.NewRates(0.001, 1)
	require.True(t, rates.Allow(source(1)))
	for n := range 10_000 {
		rates.Allow(fairness.SourceOf(fmt.Sprintf("10.%d.%d.%d:1", n>>16, n>>8&255, n&255)))
	}
	assert.False(t, rates.Allow(source(1)))
}

// TestChargedEventsDelayTheNext: a source waits for what it has done already, but not for
// more than ten bursts of it.
func TestChargedEventsDelayTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rates := fairness.NewRates(10, 10)
		wait := func(n int) time.Duration {
			start := time.Now()
			require.NoError(t, rates.Wait(t.Context(), source(n)))
			return time.Since(start)
		}
		rates.Charge(source(1), 25)
		assert.Equal(t, 1600*time.Millisecond, wait(1), "15 beyond the burst, and its own")
		for range 100 {
			rates.Charge(source(1), 5)
		}
		assert.Equal(t, 10100*time.Millisecond, wait(1), "ten bursts at most")
		assert.Zero(t, wait(2))
	})
}
