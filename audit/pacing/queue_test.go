package pacing

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"k8s.io/apimachinery/pkg/types"
)

var name = types.NamespacedName{Namespace: "mail", Name: "kaspersky"}

// running runs a queue until the test ends.
func running(t *testing.T, q *Queue, bring func(context.Context, types.NamespacedName) error, failed func(types.NamespacedName, error)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { q.Run(ctx, bring, failed) })
	t.Cleanup(func() {
		cancel()
		group.Wait()
	})
}

func TestAnObjectRestsBetweenWrites(t *testing.T) {
	q, turns := New(), make(chan time.Time, 10)
	running(t, q, func(_ context.Context, name types.NamespacedName) error {
		q.Wrote(name)
		turns <- time.Now()
		return nil
	}, nil)
	q.Add(name)
	first := <-turns
	for range 5 {
		q.Add(name)
	}
	assert.GreaterOrEqual(t, (<-turns).Sub(first), Rest-time.Millisecond)
	assert.Empty(t, turns, "five calls for a turn are one")
}

func TestWhatNeedsNoWriteNeedsNoRest(t *testing.T) {
	q, turns := New(), make(chan time.Time, 10)
	running(t, q, func(context.Context, types.NamespacedName) error {
		turns <- time.Now()
		return nil
	}, nil)
	start := time.Now()
	for range 5 {
		q.Add(name)
		<-turns
	}
	assert.Less(t, time.Since(start), Rest)
}

func TestWhatFailsHasAnotherTurn(t *testing.T) {
	q, turns, told := New(), make(chan time.Time, 10), make(chan error, 10)
	refused := errors.New("refused")
	running(t, q, func(context.Context, types.NamespacedName) error {
		turns <- time.Now()
		if len(told) == 0 {
			return refused
		}
		return nil
	}, func(_ types.NamespacedName, err error) { told <- err })
	q.Add(name)
	first := <-turns
	assert.GreaterOrEqual(t, (<-turns).Sub(first), firstRetry-time.Millisecond)
	assert.Equal(t, refused, <-told)
}

// TestALaterWriteIsRestedToo: what wakes an object after the first write must not cut the
// rest after the second one short.
func TestALaterWriteIsRestedToo(t *testing.T) {
	q := New()
	q.Wrote(name)
	q.Wrote(name)
	q.wake(name)
	assert.Positive(t, q.rest(name))
}

func TestNothingIsKeptOfWhatHasRested(t *testing.T) {
	q := New()
	q.Wrote(name)
	assert.Eventually(t, func() bool {
		q.mu.Lock()
		defer q.mu.Unlock()
		return len(q.resting) == 0
	}, 3*Rest, Rest/20)
}
