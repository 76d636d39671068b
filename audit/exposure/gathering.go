package exposure

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"embargo.dev/audit/inventory"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// gathering puts together what the objects of a workload have in common.
type gathering struct {
	*Evaluator

	found      map[Key]*gathered
	hitsOf     map[place][]hit
	restarts   map[restartKey]restart
	namespaces map[string]policies.Namespace
	revisions  map[types.UID][]*inventory.Object // ControllerRevisions by their owner
}

// place is an image field of a body in a namespace.
type place struct {
	namespace string
	body      *inventory.Body
	index     int
}

// gathered is a finding as far as the objects looked at tell it.
type gathered struct {
	hit

	workload  Workload
	carrier   *inventory.Object
	rank      int
	history   bool // nothing but the history of a workload has it
	pods      int
	digests   map[string]bool
	configs   map[string]bool // those of digests that are of configurations
	oldest    time.Time       // creation of the oldest object that has it
	oldestIn  v1alpha1.SinceFrom
	changed   time.Time // when the workload itself was seen to come to carry it
	created   time.Time // creation of the workload itself
	restart   restart
	restarted bool
}

// add takes what an object carries.
func (g *gathering) add(o *inventory.Object) {
	top := g.Inventory.Top(o)
	for i := range o.Body.Places {
		at := place{o.Namespace.Name, o.Body, i}
		hits, known := g.hitsOf[at]
		if !known {
			hits = g.hits(o.Body, &o.Body.Places[i], g.namespaces[o.Namespace.Name])
			g.hitsOf[at] = hits
		}
		for j := range hits {
			g.addHit(o, top, &o.Body.Places[i], &hits[j])
		}
	}
}

func (g *gathering) addHit(o *inventory.Object, top inventory.Top, p *inventory.Place, h *hit) {
	f := Finding{Finding: h.Finding, Workload: workloadOf(top), AlsoNamed: h.alsoNamed, Node: o.Node()}
	key := f.Key()
	rank := rankOf(o, top)
	one := g.found[key]
	if one == nil {
		one = &gathered{hit: *h, workload: f.Workload, carrier: o, rank: rank, history: true, digests: map[string]bool{}, configs: map[string]bool{}}
		g.found[key] = one
	} else if cmp.Or(cmp.Compare(rank, one.rank), cmp.Compare(o.Name, one.carrier.Name), cmp.Compare(h.Field, one.Field)) < 0 {
		one.hit, one.carrier, one.rank = *h, o, rank
	}
	one.history = one.history && isHistory(o, top)
	one.age(o)
	if top.Object == o {
		one.changed, one.created = o.Changed, o.Created
	}
	if !o.Pod {
		return
	}
	if !o.Ended {
		one.pods++
	}
	one.runs(p)
	one.addRestart(g.restart(o, p, h))
}

// runs takes the digest that a container runs. A configuration's counts where the runtime
// tells no other.
func (one *gathered) runs(p *inventory.Place) {
	switch {
	case p.Digest != "":
		one.digests[p.Digest] = true
	case p.Config != "":
		one.digests[p.Config], one.configs[p.Config] = true, true
	}
}

// rankOf orders what carries an image: the workload itself tells most.
func rankOf(o *inventory.Object, top inventory.Top) int {
	switch {
	case top.Object == o:
		return 0
	case o.Pod:
		return 2
	case isHistory(o, top):
		return 3
	default:
		return 1
	}
}

// isHistory reports whether an object only remembers what its workload was: it bears on
// since when an image is there, not on what runs.
func isHistory(o *inventory.Object, top inventory.Top) bool {
	if top.Object == o {
		return false
	}
	kind := o.Kind.GroupKind()
	return kind == controllerRevisionKind || kind == replicaSetKind && o.Dormant
}

// recall looks up what is remembered of a finding. A digest that was added to a tag makes
// no other image of it.
func (g *gathering) recall(key Key, one *gathered, recall Recall) (Memory, bool) {
	before, known := recall(key, one.workload)
	unpinned, ok := key.unpinned()
	if !ok {
		return before, known
	}
	if same := g.found[unpinned]; same != nil && !same.oldest.IsZero() {
		one.takeAge(same.oldest, same.oldestIn)
	}
	if !known {
		return recall(unpinned, one.workload)
	}
	return before, known
}

// finish makes the finding, with what is remembered of it.
func (g *gathering) finish(key Key, one *gathered, recall Recall) *Finding {
	before, known := g.recall(key, one, recall)
	f := &Finding{
		Finding: one.Finding, Workload: one.workload, AlsoNamed: one.alsoNamed, Admission: one.sight(), Node: one.carrier.Node(), Known: known,
		Pods: one.pods, Digests: slices.Sorted(maps.Keys(one.digests)), ConfigDigests: slices.Sorted(maps.Keys(one.configs)),
	}
	if one.rank != 0 {
		f.Carrier = called(one.carrier.Kind.Kind, one.carrier.Name)
	}
	ns := g.namespaces[one.carrier.Namespace.Name]
	kind := one.carrier.Body.Kind
	if f.UpdatedFrom = movedFrom(one.Image, f.manifestDigests(), before); f.UpdatedFrom != "" {
		if moved, ok := g.updated(kind, one.image, f, ns); ok {
			moved.Image, moved.Canonical, moved.Upstream = f.Image, f.Canonical, f.Upstream
			f.Finding = moved
		}
	}
	if !one.restarted {
		one.addRestart(g.restartOfChild(one.carrier, &one.hit))
	}
	f.RestartAction, f.RestartOwner = one.restart.action, one.restart.owner
	g.date(f, one, before, ns, kind)
	g.tell(f, one, before)
	return f
}
