package audit

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"embargo.dev/audit/inventory"
	"embargo.dev/internal/logging"
)

// taker is what all takers have in common.
type taker struct {
	auditor   *Auditor
	following *following
	log       context.Context // it has the logger
}

// Unread takes that the kind can't be read, or can again.
func (t *taker) Unread(err error) {
	a := t.auditor
	a.mu.Lock()
	before := t.following.unread
	t.following.unread = err
	if before == nil {
		t.following.since = time.Now()
	}
	a.mu.Unlock()
	if before == nil && err != nil && !apierrors.IsNotFound(err) {
		logging.Warn(t.log, "not audited, since it can't be read", "resource", t.following.kind.String(), "error", err.Error())
	}
	if before != nil || err != nil {
		a.fire() // it may be the last that is waited for
	}
}

func (t *taker) listed(sweep func()) {
	t.auditor.mu.Lock()
	sweep()
	t.following.listed = true
	t.auditor.mu.Unlock()
	t.auditor.fire()
}

// workloads takes objects that carry images.
type workloads struct{ taker }

// Page takes a page of a listing. What was converted needs the lock for a moment only.
func (t *workloads) Page(objects []runtime.Object, listing uint32) {
	all := make([]*inventory.Seen, 0, len(objects))
	for _, o := range objects {
		if s, ok := read(t.following.kind, o); ok {
			all = append(all, s)
		}
	}
	t.auditor.mu.Lock()
	defer t.auditor.mu.Unlock()
	if t.following.over {
		return // what the feed still had in hand would stay for good
	}
	for _, s := range all {
		t.auditor.inventory.Put(t.following.kind, s, listing)
	}
}

// Listed takes out what is gone.
func (t *workloads) Listed(listing uint32) {
	t.listed(func() { t.auditor.inventory.Sweep(t.following.kind, listing) })
}

// Change takes a change.
func (t *workloads) Change(kind watch.EventType, o runtime.Object) {
	s, ok := read(t.following.kind, o)
	if !ok {
		return
	}
	a := t.auditor
	a.mu.Lock()
	switch {
	case t.following.over:
	case kind == watch.Deleted:
		a.inventory.Remove(s.UID)
	default:
		a.inventory.PutChange(t.following.kind, s, a.options.Clock())
	}
	dirty := a.inventory.HasDirty()
	a.mu.Unlock()
	if dirty {
		a.fire()
	}
}

// nodes takes nodes, for the names that they have for images.
type nodes struct {
	taker

	there map[string]uint32 // the listing that had each last
}

// Page takes a page of a listing.
func (t *nodes) Page(objects []runtime.Object, listing uint32) {
	for _, o := range objects {
		if n, ok := o.(*corev1.Node); ok {
			t.there[n.Name] = listing
			t.put(n.Name, nodeImages(n))
		}
	}
}

// Listed forgets nodes that are gone.
func (t *nodes) Listed(listing uint32) {
	for name, last := range t.there {
		if last != listing {
			delete(t.there, name)
			t.put(name, nil)
		}
	}
	t.listed(func() {})
}

// Change takes a change.
func (t *nodes) Change(kind watch.EventType, o runtime.Object) {
	n, ok := o.(*corev1.Node)
	switch {
	case !ok:
	case kind == watch.Deleted:
		delete(t.there, n.Name)
		t.put(n.Name, nil)
	default:
		if _, known := t.there[n.Name]; !known {
			t.there[n.Name] = 0
		}
		t.put(n.Name, nodeImages(n))
	}
}

func (t *nodes) put(name string, images [][]string) {
	a := t.auditor
	a.mu.Lock()
	a.inventory.PutNode(name, images)
	dirty := a.inventory.HasDirty()
	a.mu.Unlock()
	if dirty {
		a.fire()
	}
}

// ownReports takes what was written before, by this replica or another.
type ownReports struct{ taker }

// Page takes a page of a listing.
func (t *ownReports) Page(objects []runtime.Object, listing uint32) {
	t.auditor.reports.Page(objects, listing)
}

// Listed takes that all were seen.
func (t *ownReports) Listed(listing uint32) {
	t.auditor.reports.Listed(listing)
	t.listed(func() { t.auditor.due = time.Time{} })
}

// Change takes a change.
func (t *ownReports) Change(kind watch.EventType, o runtime.Object) {
	if object, err := meta.Accessor(o); err == nil {
		if imported := t.auditor.reports.Change(kind, o); imported {
			t.auditor.lookSoon(object.GetNamespace())
		}
	}
}
