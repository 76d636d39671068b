// Package trigger wakes loops that bring something up to date. Any number of firings
// before the loop looks again are one.
package trigger

import (
	"context"
	"sync"
)

// Trigger wakes the loop that receives from it.
type Trigger chan struct{}

// New returns a trigger.
func New() Trigger { return make(Trigger, 1) }

// Fire wakes the loop, now or when it next looks. It never blocks.
func (t Trigger) Fire() {
	select {
	case t <- struct{}{}:
	default:
	}
}

// Follow fires whenever one of the others does, until the context ends.
func (t Trigger) Follow(ctx context.Context, others ...<-chan struct{}) {
	for _, other := range others {
		go func() {
			for {
				select {
				case <-ctx.Done():
					return
				case <-other:
					t.Fire()
				}
			}
		}()
	}
}

// Broadcast wakes every loop that follows it. The zero Broadcast has no followers.
type Broadcast struct {
	mu        sync.Mutex
	followers []Trigger
}

// Follow returns a channel that receives after each firing. Several firings in short
// order may be received as one.
func (b *Broadcast) Follow() <-chan struct{} {
	follower := New()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.followers = append(b.followers, follower)
	return follower
}

// Fire wakes all followers. It never blocks.
func (b *Broadcast) Fire() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, follower := range b.followers {
		follower.Fire()
	}
}
