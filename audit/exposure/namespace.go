package exposure

import (
	"cmp"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"embargo.dev/audit/inventory"
	"embargo.dev/policies"
)

var (
	podKind                = schema.GroupKind{Kind: "Pod"}
	replicaSetKind         = schema.GroupKind{Group: appsv1.GroupName, Kind: "ReplicaSet"}
	controllerRevisionKind = schema.GroupKind{Group: appsv1.GroupName, Kind: "ControllerRevision"}
)

// InNamespace returns the findings among the suspects of the given namespaces, which
// are one namespace or, for Embargo's own, also what is in none. They are in the order
// in which reports list them.
func (e *Evaluator) InNamespace(suspects []*inventory.Namespace, recall Recall) []*Finding {
	g := e.gathering(suspects)
	for _, ns := range suspects {
		for _, o := range ns.Suspects {
			g.add(o)
		}
	}
	findings := make([]*Finding, 0, len(g.found))
	for key, one := range g.found {
		if !one.history {
			findings = append(findings, g.finish(key, one, recall))
		}
	}
	slices.SortFunc(findings, order)
	return findings
}

// gathering prepares to look at the given namespaces.
func (e *Evaluator) gathering(suspects []*inventory.Namespace) *gathering {
	g := &gathering{
		Evaluator: e, found: map[Key]*gathered{}, hitsOf: map[place][]hit{}, restarts: map[restartKey]restart{},
		namespaces: map[string]policies.Namespace{}, revisions: map[types.UID][]*inventory.Object{},
	}
	for _, ns := range suspects {
		g.namespaces[ns.Name] = e.Namespace(ns.Name)
		for _, o := range ns.Suspects {
			if owner, ok := o.Owner(); ok && o.Kind.GroupKind() == controllerRevisionKind {
				g.revisions[owner.UID] = append(g.revisions[owner.UID], o)
			}
		}
	}
	return g
}

// order is that of reports: first what arrived after a ban, then the strongest action.
func order(a, b *Finding) int {
	after := func(f *Finding) int {
		if f.ArrivedAfterBan {
			return 0
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(after(a), after(b)),
		cmp.Compare(b.Action.Strength(), a.Action.Strength()),
		cmp.Compare(a.Workload.Kind, b.Workload.Kind), cmp.Compare(a.Workload.Name, b.Workload.Name), cmp.Compare(a.Workload.UID, b.Workload.UID),
		cmp.Compare(a.Container, b.Container), cmp.Compare(a.Image, b.Image),
		cmp.Compare(a.Vendor, b.Vendor), cmp.Compare(a.Restriction, b.Restriction),
	)
}
