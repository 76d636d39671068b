package limits

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"embargo.dev/webhook/fairness"
)

// workPerCPU is a source's share of each CPU, where that is more than workPerSecond.
const workPerCPU = time.Second / 8

// share returns the CPU time that a source gets in a second.
func share() time.Duration {
	return max(workPerSecond, time.Duration(runtime.GOMAXPROCS(0))*workPerCPU)
}

// Unpaced lets sources use as much CPU time as they ask for. It is for a server that only
// API servers can reach, since it demands client certificates.
func (l *Limits) Unpaced() *Limits {
	l.work, l.previews = nil, nil
	return l
}

// ErrTooMuchWork says that a source's reviews take more CPU time than its share.
var ErrTooMuchWork = errors.New("the reviews from this address take too much time to read and decide")

// pace waits until the source may use so much CPU time.
func (l *Limits) pace(ctx context.Context, source fairness.Source, cost time.Duration) error {
	if l.work == nil {
		return nil
	}
	if err := l.work.WaitN(ctx, source, int(cost/time.Microsecond)); err != nil {
		Rejected(ReasonWork)
		return fmt.Errorf("%w: %w", ErrTooMuchWork, err)
	}
	return nil
}

// Body returns a reader of a request's body that reads no faster than the source may.
func (l *Limits) Body(ctx context.Context, source fairness.Source, body io.Reader) io.Reader {
	if l == nil {
		return body
	}
	return &pacedReader{body, func(n int) error {
		return l.pace(ctx, source, minReadCost+time.Duration(n)*readCost/1024)
	}}
}

type pacedReader struct {
	io.Reader

	pace func(bytes int) error
}

// maxRead is the most that is read at once, far less than a burst allows.
const maxRead = 256 << 10

// Read reads, and waits as long as what it read has to take.
func (r *pacedReader) Read(into []byte) (int, error) {
	n, err := r.Reader.Read(into[:min(len(into), maxRead)])
	if waitErr := r.pace(n); waitErr != nil {
		return n, waitErr
	}
	return n, err
}

// Decide waits for a place among those who use the CPU to decide about a review of so many
// bytes. The context that it returns is for the decision, the function for its end.
func (l *Limits) Decide(ctx context.Context, source fairness.Source, size int) (context.Context, func(), error) {
	if l == nil {
		return ctx, func() {}, nil
	}
	if err := l.pace(ctx, source, minDecisionCost); err != nil {
		return nil, nil, err
	}
	place, err := l.decisions.Enter(ctx, source)
	if err != nil {
		Rejected(ReasonDecisions)
		return nil, nil, err
	}
	return withCaller(ctx, source, place), func() {
		place.Leave()
		// On a node without CPU time to spare, a decision takes longer than it costs.
		most := time.Duration(size) * maxDecisionCost / 1024
		l.charge(source, min(place.Used()-minDecisionCost, most))
	}, nil
}

// Preview reports whether the source of a decision may have a preview made. The function
// counts the time that it took.
func (l *Limits) Preview(ctx context.Context) (done func(), ok bool) {
	c, known := ctx.Value(callerKey{}).(caller)
	if l.previews == nil || !known {
		return func() {}, true
	}
	if !l.previews.Allow(c.source) {
		return nil, false
	}
	start := time.Now()
	return func() { l.previews.Charge(c.source, int(time.Since(start)/time.Microsecond)) }, true
}

// charge counts what a decision took beyond what was expected.
func (l *Limits) charge(source fairness.Source, cost time.Duration) {
	if l.work != nil && cost > 0 {
		l.work.Charge(source, int(cost/time.Microsecond))
	}
}
