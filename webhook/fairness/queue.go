package fairness

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Queue lets a bounded number of callers in at once. Sources take turns, and the callers of
// a source come in the order of their arrival. As in a Pool, a source may be let in again
// only while all that it would hold is at most what is still free: however many callers
// one source sends, a place stays free for the next source.
type Queue struct {
	mu      sync.Mutex
	free    int
	inside  map[Source]int
	waiting map[Source][]chan struct{} // closed when the caller is let in
	turns   []Source                   // sources that wait, the next one first
}

// NewQueue returns a queue that lets so many callers in at once.
func NewQueue(places int) *Queue {
	return &Queue{free: places, inside: map[Source]int{}, waiting: map[Source][]chan struct{}{}}
}

// Place is a caller's place in a queue. It is for one goroutine. The zero Place is in no
// queue, and never waits.
type Place struct {
	queue  *Queue
	source Source
	inside bool
	since  time.Time     // of the last time it was let in
	used   time.Duration // before that
}

// Enter waits until the queue lets the source in, or the context ends.
func (q *Queue) Enter(ctx context.Context, source Source) (*Place, error) {
	place := &Place{queue: q, source: source}
	return place, place.Enter(ctx)
}

// Enter waits again after Leave.
func (p *Place) Enter(ctx context.Context) error {
	if p.inside || p.queue == nil {
		return nil
	}
	if err := p.queue.enter(ctx, p.source); err != nil {
		return err
	}
	p.inside, p.since = true, time.Now()
	return nil
}

// Leave lets the next caller in. Leaving again does nothing.
func (p *Place) Leave() {
	if p.inside {
		p.inside = false
		p.used += time.Since(p.since)
		p.queue.leave(p.source)
	}
}

// Used returns how long the place was taken, up to the last Leave.
func (p *Place) Used() time.Duration { return p.used }

func (q *Queue) enter(ctx context.Context, source Source) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	q.mu.Lock()
	// Whoever waits may not be let in now, or would have been.
	if len(q.waiting[source]) == 0 && q.mayEnter(source) {
		q.admit(source)
		q.mu.Unlock()
		return nil
	}
	admitted := make(chan struct{})
	if len(q.waiting[source]) == 0 {
		q.turns = append(q.turns, source)
	}
	q.waiting[source] = append(q.waiting[source], admitted)
	q.mu.Unlock()
	select {
	case <-admitted:
		return nil
	case <-ctx.Done():
		q.giveUp(source, admitted)
		return context.Cause(ctx)
	}
}

func (q *Queue) mayEnter(source Source) bool { return q.inside[source]+1 <= q.free }

func (q *Queue) admit(source Source) {
	q.free--
	q.inside[source]++
}

func (q *Queue) leave(source Source) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.free++
	if q.inside[source]--; q.inside[source] == 0 {
		delete(q.inside, source)
	}
	q.admitWaiting()
}

// giveUp removes a caller that waits no longer. It may have been let in meanwhile.
func (q *Queue) giveUp(source Source, admitted chan struct{}) {
	q.mu.Lock()
	i := slices.Index(q.waiting[source], admitted)
	if i < 0 {
		q.mu.Unlock()
		q.leave(source)
		return
	}
	q.remove(source, i)
	q.mu.Unlock()
}

// remove takes a caller out of those that wait.
func (q *Queue) remove(source Source, i int) {
	q.waiting[source] = slices.Delete(q.waiting[source], i, i+1)
	if len(q.waiting[source]) == 0 {
		delete(q.waiting, source)
		q.turns = slices.DeleteFunc(q.turns, func(s Source) bool { return s == source })
	}
}

// admitWaiting lets in whom it may. A source that was let in goes to the end of the line.
func (q *Queue) admitWaiting() {
	for q.free > 0 {
		i := slices.IndexFunc(q.turns, q.mayEnter)
		if i < 0 {
			return
		}
		source := q.turns[i]
		q.admit(source)
		close(q.waiting[source][0])
		q.turns = append(slices.Delete(q.turns, i, i+1), source)
		q.remove(source, 0)
	}
}
