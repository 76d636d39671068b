package fairness

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rates bound how often each source may do something.
type Rates struct {
	limit rate.Limit
	burst int

	mu       sync.Mutex
	limiters map[Source]*rate.Limiter
	sweepAt  int // number of limiters at which idle ones are dropped
}

// minSweep is the number of limiters that are kept without looking for idle ones.
const minSweep = 256

// NewRates allows each source so many events a second, and a burst.
func NewRates(perSecond float64, burst int) *Rates {
	return &Rates{limit: rate.Limit(perSecond), burst: burst, limiters: map[Source]*rate.Limiter{}, sweepAt: minSweep}
}

// Allow reports whether an event of the source may happen now.
func (r *Rates) Allow(source Source) bool { return r.limiter(source).Allow() }

// Wait waits until an event of the source may happen. It fails at once where that is later
// than the context's deadline.
func (r *Rates) Wait(ctx context.Context, source Source) error {
	return r.WaitN(ctx, source, 1)
}

// WaitN waits until so many events of the source may happen, at most a burst. It fails as
// Wait does.
func (r *Rates) WaitN(ctx context.Context, source Source, n int) error {
	return r.limiter(source).WaitN(ctx, n)
}

// maxDebt is how many bursts a source may be charged for before the next event, so that it
// doesn't wait long for what is over.
const maxDebt = 10

// Charge counts events that have happened already: the source's next ones wait for them.
func (r *Rates) Charge(source Source, n int) {
	limiter := r.limiter(source)
	for ; n > 0 && limiter.Tokens() > -maxDebt*float64(r.burst); n -= r.burst {
		limiter.ReserveN(time.Now(), min(n, r.burst))
	}
}

func (r *Rates) limiter(source Source) *rate.Limiter {
	r.mu.Lock()
	defer r.mu.Unlock()
	if limiter, ok := r.limiters[source]; ok {
		return limiter
	}
	if len(r.limiters) >= r.sweepAt {
		r.sweep()
	}
	limiter := rate.NewLimiter(r.limit, r.burst)
	r.limiters[source] = limiter
	return limiter
}

// sweep drops limiters that have their whole burst again: new ones would be the same.
func (r *Rates) sweep() {
	for source, limiter := range r.limiters {
		if limiter.Tokens() >= float64(r.burst) {
			delete(r.limiters, source)
		}
	}
	r.sweepAt = max(minSweep, 2*len(r.limiters))
}
