// Package pacing has objects of the cluster brought up to date: a few at once, none more
// than once a second, and what fails again later.
package pacing

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
)

const (
	// Rest is how long an object stays as it was written at least.
	Rest = time.Second

	workers = 4
	// timeout bounds the work on one object.
	timeout = 15 * time.Second
	// Of what fails the pause doubles from one to the other.
	firstRetry, lastRetry = time.Second, time.Minute
)

// Queue holds the names of objects to bring up to date. A name that is added again
// before its turn has one turn.
type Queue struct {
	names workqueue.TypedRateLimitingInterface[types.NamespacedName]

	mu      sync.Mutex
	resting map[types.NamespacedName]time.Time // until when
}

// New returns an empty Queue.
func New() *Queue {
	return &Queue{
		names:   workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[types.NamespacedName](firstRetry, lastRetry)),
		resting: map[types.NamespacedName]time.Time{},
	}
}

// Add adds a name. It never blocks.
func (q *Queue) Add(name types.NamespacedName) { q.names.Add(name) }

// Len returns how many names wait for their turn.
func (q *Queue) Len() int { return q.names.Len() }

// Wrote has an object rest from now on.
func (q *Queue) Wrote(name types.NamespacedName) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.resting[name] = time.Now().Add(Rest)
	time.AfterFunc(Rest, func() { q.wake(name) })
}

// wake forgets an object that has rested.
func (q *Queue) wake(name types.NamespacedName) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !time.Now().Before(q.resting[name]) {
		delete(q.resting, name)
	}
}

// Run calls bring for one name after the other, several at once but never twice at once
// for one name, until the context ends; and failed with each error, before the name's
// next turn. It returns when no call is running any more.
func (q *Queue) Run(ctx context.Context, bring func(context.Context, types.NamespacedName) error, failed func(types.NamespacedName, error)) {
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for q.next(ctx, bring, failed) {
			}
		})
	}
	<-ctx.Done()
	q.names.ShutDown()
	group.Wait()
}

func (q *Queue) next(ctx context.Context, bring func(context.Context, types.NamespacedName) error, failed func(types.NamespacedName, error)) bool {
	name, stop := q.names.Get()
	if stop {
		return false
	}
	defer q.names.Done(name)
	if rest := q.rest(name); rest > 0 {
		q.names.AddAfter(name, rest)
		return true
	}
	turn, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := bring(turn, name)
	switch {
	case err == nil:
		q.names.Forget(name)
	case ctx.Err() == nil:
		failed(name, err)
		q.names.AddRateLimited(name)
	}
	return true
}

// rest returns how long an object has to rest yet.
func (q *Queue) rest(name types.NamespacedName) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	return time.Until(q.resting[name])
}
