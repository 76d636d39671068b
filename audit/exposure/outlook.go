package exposure

import (
	"cmp"
	"slices"
	"time"

	"embargo.dev/audit/inventory"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/policies/workload"
)

// Outlook is what becomes of an image that a workload has, for one restriction: as it
// runs, when it is updated, and when a Pod is made in place of one that runs. Unlike a
// Finding there is one also where what runs is left in peace.
type Outlook struct {
	policies.Finding

	Workload Workload
	Carrier  string // KIND/NAME of what carries the image, "" for the workload itself
	Since    time.Time
	From     v1alpha1.SinceFrom

	Running, Updated, Restarted v1alpha1.Action

	one gathered
}

// Outlooks returns the outlook of every image in the given namespaces that may be a
// vendor's.
func (e *Evaluator) Outlooks(suspects []*inventory.Namespace) map[Key]*Outlook {
	g := e.gathering(suspects)
	all := map[Key]*Outlook{}
	known := map[place][]prospect{}
	for _, ns := range suspects {
		for _, o := range ns.Suspects {
			g.foresee(o, known, all)
		}
	}
	for key, out := range all {
		if out.one.history {
			delete(all, key)
			continue
		}
		out.Restarted = out.one.restart.action
		out.Since, out.From = out.one.oldest, out.one.oldestIn
	}
	return all
}

// prospect is an image field × one restriction.
type prospect struct {
	hit

	running, updated v1alpha1.Action
}

// foresee takes what an object carries.
func (g *gathering) foresee(o *inventory.Object, known map[place][]prospect, all map[Key]*Outlook) {
	top := g.Inventory.Top(o)
	for i := range o.Body.Places {
		p := &o.Body.Places[i]
		at := place{o.Namespace.Name, o.Body, i}
		prospects, there := known[at]
		if !there {
			prospects = g.prospects(o.Body, p, g.namespaces[o.Namespace.Name])
			known[at] = prospects
		}
		for j := range prospects {
			g.addProspect(o, top, p, &prospects[j], all)
		}
	}
}

// addProspect takes what an object says of a workload. One that only remembers what its
// workload was tells since when, and no more.
func (g *gathering) addProspect(o *inventory.Object, top inventory.Top, p *inventory.Place, one *prospect, all map[Key]*Outlook) {
	f := Finding{Finding: one.Finding, Workload: workloadOf(top), AlsoNamed: one.alsoNamed, Node: o.Node()}
	key := f.Key()
	out := all[key]
	if out == nil {
		out = &Outlook{Workload: f.Workload, Running: v1alpha1.ActionAllow, Updated: v1alpha1.ActionAllow}
		out.one.history, out.one.restart.action = true, v1alpha1.ActionAllow
		all[key] = out
	}
	out.one.age(o)
	if isHistory(o, top) {
		return
	}
	out.one.history = false
	out.carry(o, top, one)
	out.Running = out.Running.Stronger(one.running)
	if o.Node() == "" { // the file of a static Pod is updated without any request
		out.Updated = out.Updated.Stronger(one.updated)
	}
	if o.Pod {
		out.one.addRestart(g.restart(o, p, &one.hit))
	} else if !out.one.restarted {
		out.one.restart = stronger(out.one.restart, g.restartOfChild(o, &one.hit))
	}
}

// carry takes the object for what carries the image where it tells more than another.
func (out *Outlook) carry(o *inventory.Object, top inventory.Top, one *prospect) {
	rank := rankOf(o, top)
	if before := out.one.carrier; before != nil &&
		cmp.Or(cmp.Compare(rank, out.one.rank), cmp.Compare(o.Name, before.Name), cmp.Compare(one.Field, out.Field)) >= 0 {
		return
	}
	out.one.carrier, out.one.rank, out.Finding, out.Carrier = o, rank, one.Finding, ""
	if rank != 0 {
		out.Carrier = called(o.Kind.Kind, o.Name)
	}
}

func stronger(a, b restart) restart {
	if b.action.Strength() > a.action.Strength() {
		return b
	}
	return a
}

// uses are those by which an image may be found to be restricted.
var uses = []policies.Use{policies.UseContinue, policies.UseUpdate, policies.UseIntroduce}

// prospects evaluates an image field for every use, and what runs of it by each other
// name, which admission doesn't see.
func (g *gathering) prospects(b *inventory.Body, p *inventory.Place, ns policies.Namespace) []prospect {
	var seen, others []prospect
	for _, use := range uses {
		for _, f := range g.assuming(b, p.Image, ns, use) {
			seen = addUse(seen, f, p.Image, use)
		}
	}
	for _, name := range g.Inventory.OtherNames(p) {
		other := p.Image
		other.Value = name
		for _, f := range g.assuming(b, other, ns, policies.UseContinue) {
			if indexOf(seen, f) < 0 {
				f.Image = p.Value
				others = addUse(others, f, other, policies.UseContinue)
			}
		}
	}
	return append(seen, others...)
}

func (g *gathering) assuming(b *inventory.Body, img workload.Image, ns policies.Namespace, use policies.Use) []policies.Finding {
	return g.Rules.Evaluate(policies.Request{
		Operation: policies.Update, Kind: b.Kind, Namespace: ns, Object: workload.Object{Images: []workload.Image{img}}, AssumeUse: use,
	}, g.instant()).Findings
}

// addUse adds what is done about one use. What can't be read is of no vendor, and no
// date changes that.
func addUse(found []prospect, f policies.Finding, img workload.Image, use policies.Use) []prospect {
	if f.Vendor == "" {
		return found
	}
	i := indexOf(found, f)
	if i < 0 {
		i = len(found)
		found = append(found, prospect{hit: hit{Finding: f, image: img}, running: v1alpha1.ActionAllow, updated: v1alpha1.ActionAllow})
	}
	switch use {
	case policies.UseContinue:
		found[i].running = found[i].running.Stronger(f.Action)
	case policies.UseUpdate:
		found[i].updated = found[i].updated.Stronger(f.Action)
	}
	return found
}

func indexOf(found []prospect, f policies.Finding) int {
	return slices.IndexFunc(found, func(p prospect) bool { return p.Vendor == f.Vendor && p.Restriction == f.Restriction })
}
