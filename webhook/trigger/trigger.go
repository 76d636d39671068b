// Package trigger wakes loops that bring something up to date. Any number of firings
// before the loop looks again are one.
package trigger

import "context"

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
