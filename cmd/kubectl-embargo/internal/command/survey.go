package command

import (
	"cmp"
	"context"
	"io"
	"maps"
	"slices"
	"strings"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"embargo.dev/audit"
	"embargo.dev/audit/inventory"
	"embargo.dev/cmd/kubectl-embargo/internal/cluster"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/policies/workload"
)

// survey is what is read of one cluster, and what there is to remark on it.
type survey struct {
	basis

	live    *live
	context string

	cluster    *cluster.Cluster // nil where the kubeconfig doesn't name it
	set        *policies.RuleSet
	vendors    []v1alpha1.RestrictedVendor
	namespaces map[string]policies.Namespace
	seen       *audit.Surveyed // nil where nothing could be read

	notLookedFor []string // vendors that no image can be found of
}

func (l *live) newSurvey(context string) *survey {
	s := &survey{live: l, context: context, namespaces: map[string]policies.Namespace{}}
	s.IOStreams = genericiooptions.IOStreams{Out: io.Discard, ErrOut: io.Discard} // it is told when all are read
	s.instant, s.rules = l.instant, l.rules
	return s
}

func (s *survey) name() string {
	if s.cluster == nil {
		return cmp.Or(s.context, "of the kubeconfig")
	}
	return s.cluster.Name
}

// take reads the rules and what runs.
func (s *survey) take(ctx context.Context, given rules, meter *meter) {
	connected, err := cluster.Connect(cluster.InContext(s.live.flags, s.context))
	if err != nil {
		s.unread(err)
		return
	}
	s.cluster, s.rules.live = connected, connected
	if err := s.compile(ctx, given); err != nil {
		s.unread(err)
		return
	}
	if s.readNamespaces(ctx); s.cluster.Down() {
		s.notices = nil // nothing rests on them
		return
	}
	s.readWorkloads(ctx, meter)
}

// compile makes the rules ready. What the cluster has and doesn't compile isn't in force
// there either.
func (s *survey) compile(ctx context.Context, given rules) error {
	given.broken = s.broken
	given.source.Policies = slices.Clone(given.source.Policies)
	if err := s.rules.complete(ctx, &given, s.unread); err != nil {
		return err
	}
	for _, n := range given.notices {
		s.notice("%s", n)
	}
	s.noteExpired(given.source.Waivers)
	set, problems := given.problems()
	for _, p := range problems {
		if o, isGiven := given.places[p.Kind+"/"+p.Name]; isGiven {
			s.broken(o.Error(p.Err.Field, p))
		} else {
			s.notice("not in force: %v", p)
		}
	}
	s.set, s.vendors = set, given.source.Vendors
	s.noteNotLookedFor(given.places)
	return nil
}

// readNamespaces reads the labels of the namespaces, by which policies and waivers
// select them.
func (s *survey) readNamespaces(ctx context.Context) {
	if s.live.all {
		found, err := s.cluster.Namespaces(ctx)
		switch {
		case err == nil:
			s.namespaces = found
		case s.cluster.Down():
			s.unread(err)
		default:
			s.notice("the namespaces can't be listed (%v): every policy is taken to select each, and a waiver none but by name", err)
		}
		return
	}
	names := s.live.namespaces
	if len(names) == 0 {
		names = []string{cmp.Or(s.cluster.Namespace, defaultNamespace)}
	}
	for _, name := range names {
		ns, err := s.cluster.NamespaceNamed(ctx, name)
		if err != nil {
			s.unread(err)
			continue
		}
		if !ns.Known && s.set.SelectsByLabels() {
			s.notice("the labels of namespace %q may not be read: every policy is taken to select it, and a waiver only by its name", name)
		}
		s.namespaces[name] = ns
	}
}

func (s *survey) readWorkloads(ctx context.Context, meter *meter) {
	names := slices.Sorted(maps.Keys(s.namespaces))
	reading := &audit.Survey{
		Config: s.cluster.Config, Resources: s.resources(ctx), Read: func(objects int) { meter.listed(s.name(), objects) },
	}
	switch {
	case s.live.all:
		reading.Fallback = names
	case len(names) == 0:
		return // none of them is there
	default:
		reading.Namespaces = names
	}
	seen, err := reading.Take(ctx)
	if err != nil {
		s.unread(s.cluster.Unread("what runs", err))
		return
	}
	s.seen = seen
	s.tellUnread(seen.Unread)
	seen.Inventory.Judge(func(b *inventory.Body, img *workload.Image) bool {
		return s.set.Suspects(b.Kind, []workload.Image{*img})
	})
}

// resources are those with pod templates that the controller found and wrote into the
// policies' status.
func (s *survey) resources(ctx context.Context) []audit.Resource {
	covered, err := s.cluster.Covered(ctx)
	if err != nil || len(covered) == 0 {
		s.notice("no VendorPolicy of cluster %s says which other resources have pod templates: Kubernetes' own workloads are evaluated", s.name())
		return nil
	}
	var found []audit.Resource
	for _, name := range covered {
		r, served, err := s.cluster.Resource(name)
		switch {
		case err != nil:
			s.unread(err)
		case strings.HasPrefix(name, "*."):
			s.notice("admission covers all resources of group %s: those of them that no policy's status names aren't evaluated", name[len("*."):])
		case served:
			found = append(found, r)
		}
	}
	return found
}

// parts are the namespaces in which something runs, the one named "" for what is in
// none, sorted.
func (s *survey) parts() []*inventory.Namespace {
	inv := s.seen.Inventory
	inv.MarkAll()
	names := inv.Dirty()
	slices.Sort(names)
	parts := make([]*inventory.Namespace, 0, len(names))
	for _, name := range names {
		parts = append(parts, inv.Namespace(name))
	}
	return parts
}

// namespace says what is known of a namespace.
func (s *survey) namespace(name string) policies.Namespace {
	if ns, known := s.namespaces[name]; known {
		return ns
	}
	return policies.Namespace{Name: name}
}

// count counts what was read.
func (s *survey) count() (objects, images int) {
	s.seen.Inventory.Objects(func(o *inventory.Object) bool {
		images += len(o.Body.Places)
		return true
	})
	return s.seen.Inventory.Len(), images
}
