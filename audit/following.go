package audit

import (
	"context"
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"embargo.dev/audit/feed"
	"embargo.dev/audit/inventory"
)

// following is a kind that is followed, and how well.
type following struct {
	kind   *inventory.Kind
	stop   context.CancelFunc
	over   bool // it is followed no longer
	listed bool
	unread error     // why it couldn't be listed; nil where it could
	since  time.Time // when that was found out first
}

// patience is how long an audit that begins waits for a kind that can't be listed: an API
// server that has just started refuses and lacks what it will serve a moment later.
const patience = 3 * time.Second

// done reports whether the kind was listed, or needn't be waited for. Of the built-in
// kinds only those are passed over that may not be read. One of the others, such as that
// of an aggregated API which is down, must not stand in the way of all.
func (f *following) done(beginning bool) bool {
	switch {
	case f.listed:
		return true
	case f.kind == reportKind:
		return false // what has been written before must be known, or it would be forgotten
	case f.unread == nil, beginning && time.Since(f.since) < patience:
		return false
	default:
		return isCustom(f.kind) || f.kind == nodeKind || feed.Unreadable(f.unread)
	}
}

// follow starts to follow a kind.
func (a *Auditor) follow(ctx context.Context, k *inventory.Kind, group *sync.WaitGroup) {
	ctx, stop := context.WithCancel(ctx)
	f := &following{kind: k, stop: stop}
	a.mu.Lock()
	a.feeds[k.GroupVersion().WithResource(k.Resource)] = f
	a.mu.Unlock()
	source, size := a.sources.of(k, metav1.NamespaceAll)
	base := taker{auditor: a, following: f, log: ctx}
	var to feed.Taker = &workloads{base}
	switch k {
	case nodeKind:
		to = &nodes{taker: base, there: map[string]uint32{}}
	case reportKind:
		to = &ownReports{base}
	}
	group.Go(func() { feed.New(k.String(), source, size, to).Run(ctx) })
}

// followResources follows the resources that were discovered, and no others.
func (a *Auditor) followResources(ctx context.Context, group *sync.WaitGroup) {
	resources, known := a.options.Resources()
	if !known {
		return
	}
	wanted := map[schema.GroupVersionResource]*inventory.Kind{}
	for _, r := range resources {
		wanted[r.Kind.GroupVersion().WithResource(r.Resource)] = &inventory.Kind{GroupVersionKind: r.Kind, Resource: r.Resource}
	}
	for _, k := range builtin {
		delete(wanted, k.GroupVersion().WithResource(k.Resource))
	}
	a.mu.Lock()
	for at, f := range a.feeds {
		if !isCustom(f.kind) {
			continue
		}
		if k, ok := wanted[at]; ok && k.Kind == f.kind.Kind {
			delete(wanted, at)
			continue
		}
		f.stop()
		f.over = true
		delete(a.feeds, at)
		a.inventory.Sweep(f.kind, 0)
	}
	a.mu.Unlock()
	for _, k := range wanted {
		a.follow(ctx, k, group)
	}
}

func isCustom(k *inventory.Kind) bool {
	return !slices.Contains(builtin, k) && k != nodeKind && k != reportKind
}

// ready reports whether everything was listed that is to be waited for.
func (a *Auditor) ready() bool {
	for _, f := range a.feeds {
		if !f.done(a.full.IsZero()) {
			return false
		}
	}
	_, known := a.options.Resources()
	return known
}

// unread names the resources that can't be read, in order.
func (a *Auditor) unread() []string {
	var names []string
	for resource, f := range a.feeds {
		if f.unread != nil {
			names = append(names, resource.GroupResource().String())
		}
	}
	slices.Sort(names)
	return names
}

// unseen are the kinds that were never listed: what is known of their objects from before
// may still be so.
func (a *Auditor) unseen() map[schema.GroupKind]bool {
	kinds := map[schema.GroupKind]bool{}
	for _, f := range a.feeds {
		if !f.listed {
			kinds[f.kind.GroupKind()] = true
		}
	}
	return kinds
}
