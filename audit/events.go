package audit

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"embargo.dev/audit/exposure"
	"embargo.dev/internal/display"
)

const (
	// maxEvents bounds how many events wait to be written.
	maxEvents = 2000
	// maxNote is how long the API lets an event's note be.
	maxNote = 1024
	// eventPause is the time from one event to the next.
	eventPause = 200 * time.Millisecond
)

// Reasons of events, and the action that they tell of.
const (
	reasonRestricted = "RestrictedImage"
	reasonBegan      = "PhaseBegan"
	reasonNear       = "PhaseNear"
	eventAction      = "Audit"
)

// told is an event.
type told struct {
	namespace string // that was looked at
	about     subject
	regarding *corev1.ObjectReference
	reason    string
	note      string
}

// subject is what an event is about: however many images, it is one.
type subject struct {
	workload            exposure.Workload
	vendor, restriction string
}

// teller writes events on workloads: when a restricted image is first found in one, and
// when a phase begins or is near. It is slow by intention: a phase that begins may
// affect any number of workloads. So findings may be gone before their events are written.
type teller struct {
	write func(context.Context, told)
	// outdated says that an event is of a vendor, or a namespace, that is gone: the audit may
	// not have looked again yet.
	outdated func(told) bool

	mu      sync.Mutex
	queue   []told
	dropped int
	more    chan struct{}
}

func newTeller(write func(context.Context, told), outdated func(told) bool) *teller {
	return &teller{write: write, outdated: outdated, more: make(chan struct{}, 1)}
}

// Forget withdraws the events of a namespace that is gone.
func (t *teller) Forget(namespace string) { t.withdraw(namespace, nil) }

// Publish takes what is new of findings: one event for each workload, restriction and
// reason, however many images it is about. Events that wait, and whose findings are no
// longer there, are withdrawn.
func (t *teller) Publish(look exposure.Look) {
	there := map[subject]bool{}
	for _, f := range look.Findings {
		there[subjectOf(f)] = true
	}
	t.withdraw(look.Namespace, there)
	type news struct {
		subject
		exposure.News
	}
	seen := map[news]bool{}
	for _, f := range look.Findings {
		for _, n := range f.News {
			key := news{subjectOf(f), n}
			if seen[key] {
				continue
			}
			seen[key] = true
			t.add(told{
				namespace: look.Namespace, about: key.subject, regarding: reference(f.Workload),
				reason: reasonOf(n), note: display.Prefix(note(f, n, look.Now), maxNote),
			})
		}
	}
}

func subjectOf(f *exposure.Finding) subject { return subject{f.Workload, f.Vendor, f.Restriction} }

func reasonOf(n exposure.News) string {
	switch n {
	case exposure.PhaseBegan:
		return reasonBegan
	case exposure.PhaseNear:
		return reasonNear
	default:
		return reasonRestricted
	}
}

func reference(w exposure.Workload) *corev1.ObjectReference {
	return &corev1.ObjectReference{APIVersion: w.APIVersion, Kind: w.Kind, Namespace: w.Namespace, Name: w.Name, UID: w.UID}
}

// note says what is new, in the evaluator's words where it has them.
func note(f *exposure.Finding, news exposure.News, now time.Time) string {
	switch {
	case news == exposure.PhaseBegan:
		return fmt.Sprintf("phase %q of %s/%s began: %s", f.Phase, f.Vendor, f.Restriction, f.Message)
	case news == exposure.PhaseNear:
		days := max(1, int(math.Ceil(f.Next.Begins.Sub(now).Hours()/24)))
		return fmt.Sprintf("phase %q of %s/%s begins in %s or less, on %s: %s", f.Next.Phase, f.Vendor, f.Restriction, display.Count(days, "day"), f.Next.Begins.UTC().Format(time.RFC3339), f.Message)
	case f.ArrivedAfterBan:
		return fmt.Sprintf("arrived after the ban: the image has been here since %s, when %s/%s already banned new ones, and no waiver covered it: %s",
			f.Since.UTC().Format(time.RFC3339), f.Vendor, f.Restriction, f.Message)
	default:
		return f.Message
	}
}

func (t *teller) add(e told) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.queue) >= maxEvents {
		t.dropped++
		return
	}
	t.queue = append(t.queue, e)
	select {
	case t.more <- struct{}{}:
	default:
	}
}

// withdraw takes the events of a namespace out of the queue, but for those about what is
// still there.
func (t *teller) withdraw(namespace string, there map[subject]bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue = slices.DeleteFunc(t.queue, func(e told) bool { return e.namespace == namespace && !there[e.about] })
}

func (t *teller) take() (told, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.queue) == 0 {
		return told{}, false
	}
	first := t.queue[0]
	t.queue = t.queue[1:]
	return first, true
}

func (t *teller) droppedSoFar() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.dropped
}

// tell writes events until the context ends.
func (t *teller) tell(ctx context.Context) {
	for ctx.Err() == nil {
		e, ok := t.take()
		switch {
		case !ok:
			select {
			case <-ctx.Done():
			case <-t.more:
			}
		case !t.outdated(e):
			t.write(ctx, e)
			wait(ctx, eventPause)
		}
	}
}
