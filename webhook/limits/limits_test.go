package limits_test

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/webhook/fairness"
	"embargo.dev/webhook/limits"
)

var (
	flood     = fairness.SourceOf("10.0.0.1:1")
	apiServer = fairness.SourceOf("10.0.0.2:1")
)

func TestConnectionsAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := limits.New()
		open := 0
		for ; ; open++ {
			time.Sleep(time.Second / 25) // no faster than a source may connect
			if _, ok := shared.Connection(flood, func() {}); !ok {
				break
			}
		}
		assert.Equal(t, 256, open)
		lease, ok := shared.Connection(apiServer, func() {})
		require.True(t, ok)
		lease.Release()
	})
}

func TestNewConnectionsHaveARate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := limits.New()
		connect := func() bool {
			lease, ok := shared.Connection(flood, func() {})
			if ok {
				lease.Release()
			}
			return ok
		}
		for range 64 {
			require.True(t, connect())
		}
		assert.False(t, connect())
		time.Sleep(time.Second / 25)
		assert.True(t, connect())
	})
}

func TestRequestsAreShared(t *testing.T) {
	shared := limits.New()
	inFlight := 0
	for ; ; inFlight++ {
		if _, err := shared.Request(t.Context(), flood, func() {}); err != nil {
			require.ErrorIs(t, err, limits.ErrTooManyRequests)
			break
		}
	}
	assert.Equal(t, 512, inFlight)
	release, err := shared.Request(t.Context(), apiServer, func() {})
	require.NoError(t, err)
	release()
}

// TestMemoryOfALargeReviewIsLeft: a source that holds all it may leaves enough for the
// largest review of another.
func TestMemoryOfALargeReviewIsLeft(t *testing.T) {
	const mib = 1 << 20
	shared := limits.New()
	for range 200 {
		shared.Memory(flood).Grow(mib)
	}
	review := shared.Memory(apiServer)
	defer review.Release()
	require.True(t, review.Grow(8*mib), "its text while it grows")
	require.True(t, review.Grow(12*mib), "the larger buffer")
	review.Shrink(8 * mib)
	require.True(t, review.Grow(12*mib), "the objects in it")
}

func TestWithoutLimitsNothingIsBounded(t *testing.T) {
	var none *limits.Limits
	memory := none.Memory(flood)
	assert.True(t, memory.Grow(1<<40))
	memory.Shrink(1)
	memory.Release()
	_, done, err := none.Decide(t.Context(), flood, size)
	require.NoError(t, err)
	done()
	text, err := io.ReadAll(none.Body(t.Context(), flood, strings.NewReader("text")))
	require.NoError(t, err)
	assert.Equal(t, "text", string(text))
}
