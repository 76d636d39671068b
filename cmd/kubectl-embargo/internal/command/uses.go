package command

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"embargo.dev/cmd/kubectl-embargo/internal/cluster"
	"embargo.dev/policies"
	"embargo.dev/policies/workload"
	"embargo.dev/webhook"
)

// uses says how the use of images in manifests is known: it is assumed, or decided per
// image as admission would, by what there was before.
type uses struct {
	assumed        string
	old            string
	againstCluster bool
	live           *cluster.Cluster // with againstCluster
}

var useNames = []string{string(policies.UseIntroduce), string(policies.UseUpdate), string(policies.UseContinue)}

// complete checks that the use is given in one way.
func (u *uses) complete(flags *pflag.FlagSet, review bool) error {
	ways := 0
	for _, flag := range []string{"use", "old", "against-cluster"} {
		if flags.Changed(flag) {
			ways++
		}
	}
	switch {
	case review && ways > 0:
		return errors.New("--use, --old and --against-cluster go with manifests: a review says itself what it does")
	case ways > 1:
		return errors.New("--use, --old and --against-cluster exclude one another: each decides the use")
	case flags.Changed("old") && u.old == "":
		return errors.New("--old: want a file or a folder")
	case !slices.Contains(useNames, u.assumed):
		return fmt.Errorf("--use %q: want one of Introduce, Update, Continue", u.assumed)
	default:
		return nil
	}
}

// decider decides a request to create the object of a manifest.
type decider func(ctx context.Context, one *candidate, request policies.Request) policies.Decision

// decider returns how requests are decided.
func (c *check) decider(ctx context.Context, old *baseline, namespaces map[string]policies.Namespace) decider {
	switch {
	case c.uses.live != nil:
		return c.againstCluster(ctx, namespaces)
	case old != nil:
		return c.againstBaseline(old)
	default:
		return c.assuming(policies.Use(c.uses.assumed))
	}
}

func (c *check) assuming(use policies.Use) decider {
	if use != policies.UseIntroduce {
		c.notice("every image is taken to be of use %s", use)
	}
	return func(_ context.Context, _ *candidate, request policies.Request) policies.Decision {
		request.AssumeUse = use
		return c.set.Evaluate(request, c.instant)
	}
}

// replaces makes the request an update of an object. Owners that a manifest doesn't
// mention stay.
func replaces(request *policies.Request, old workload.Object) {
	request.Operation, request.Old = policies.Update, &old
	if request.Object.Controller == nil {
		request.Object.Controller = old.Controller
	}
}

// againstCluster reads from the cluster what admission would, and decides with the
// webhook's own code. Like it, it reads only for images that may be a listed vendor's.
func (c *check) againstCluster(ctx context.Context, namespaces map[string]policies.Namespace) decider {
	live := c.uses.live
	resources, err := live.Covered(ctx)
	if err != nil {
		c.unread(err)
	}
	covered := live.Covers(resources)
	covers := func(kind schema.GroupKind) bool { return workload.Builtin(kind) || covered(kind) }
	reader := live.Told(c.unread)
	workloads := &webhook.Workloads{Cache: cluster.WithNamespaces(reader, namespaces), Live: reader, Covered: covers}
	return func(ctx context.Context, one *candidate, request policies.Request) policies.Decision {
		request.Namespace = policies.Namespace{Name: request.Namespace.Name} // what is known of it is read
		if !c.suspects(request) {
			return c.set.Evaluate(request, c.instant)
		}
		c.locate(one, &request)
		c.readOld(ctx, one, &request)
		decision, err := workloads.Decide(cluster.Quiet(ctx), c.set, request, c.instant)
		if err != nil {
			// The reader has told of it. What the owner carries is unknown, so it is taken
			// to carry nothing.
			decision = c.set.Evaluate(request, c.instant)
		}
		return decision
	}
}

// suspects reports whether there is a finding for any use.
func (c *check) suspects(request policies.Request) bool {
	for _, use := range useNames {
		request.AssumeUse = policies.Use(use)
		if len(c.set.Evaluate(request, c.instant).Findings) > 0 {
			return true
		}
	}
	return false
}

// locate finds out whether the object lies in a namespace.
func (c *check) locate(one *candidate, request *policies.Request) {
	namespaced, served, err := c.uses.live.Namespaced(one.kind)
	switch {
	case err != nil:
		c.unread(err)
	case !served:
		c.notice("cluster %s doesn't serve %s: what is in it is taken to be newly introduced", c.uses.live.Name, one.kind.GroupVersion().WithKind(one.kind.Kind))
	case !namespaced:
		one.identity.Namespace, request.Namespace = "", policies.Namespace{}
	}
}

func (c *check) readOld(ctx context.Context, one *candidate, request *policies.Request) {
	if one.object.Name == "" {
		return // the API server makes a new name
	}
	old, err := c.uses.live.Object(ctx, one.kind, request.Namespace.Name, one.object.Name)
	switch {
	case err != nil:
		c.unread(err)
	case old != nil:
		replaces(request, workload.FromMap(one.kind.GroupKind(), old.Object))
	}
}
