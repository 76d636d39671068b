package exposure

import (
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"embargo.dev/audit/inventory"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/policies/workload"
)

// restart is what would become of a Pod that is made in place of one that runs.
type restart struct {
	action v1alpha1.Action
	owner  string // KIND/NAME of the owner that doesn't carry the image
}

// restartKey is all that it depends on.
type restartKey struct {
	place
	vendor, restriction string
	owner               inventory.Owner
	node                string
}

// addRestart keeps the stronger.
func (one *gathered) addRestart(r restart) {
	if !one.restarted || r.action.Strength() > one.restart.action.Strength() || r.action == one.restart.action && r.owner < one.restart.owner {
		one.restart = r
	}
	one.restarted = true
}

// restart evaluates that a Pod is made again as it is, by its owner where it has one.
func (g *gathering) restart(o *inventory.Object, p *inventory.Place, h *hit) restart {
	owner, owned := o.Owner()
	key := restartKey{place{o.Namespace.Name, o.Body, 0}, h.Vendor, h.Restriction, owner, o.Node()}
	for key.body.Places[key.index].Field != p.Field {
		key.index++
	}
	if known, ok := g.restarts[key]; ok {
		return known
	}
	request := policies.Request{
		Operation: policies.Create, Kind: podKind, Namespace: g.namespaces[o.Namespace.Name],
		Object: workload.Object{Images: []workload.Image{p.Image}},
	}
	switch {
	case o.Node() != "":
		request.Object.MirrorPod, request.Object.NodeName = true, o.Node()
		request.User = policies.User{Name: "system:node:" + o.Node(), Groups: []string{"system:nodes"}}
	case owned:
		request.Object.Controller = &workload.OwnerReference{APIVersion: owner.APIVersion, Kind: owner.Kind, Name: owner.Name, UID: string(owner.UID)}
		request.Carried = g.carried(g.Inventory.Controller(o))
	}
	r := g.made(request, h)
	if r.use == policies.UseIntroduce && owned && o.Node() == "" {
		r.owner = called(owner.Kind, owner.Name)
	}
	g.restarts[key] = r.restart
	return r.restart
}

// restartOfChild evaluates that a Pod is made of a workload that has none.
func (g *gathering) restartOfChild(o *inventory.Object, h *hit) restart {
	images := imagesOf(o.Body)
	return g.made(policies.Request{
		Operation: policies.Create, Kind: podKind, Namespace: g.namespaces[o.Namespace.Name],
		Object: workload.Object{
			Images:     []workload.Image{h.image},
			Controller: &workload.OwnerReference{Kind: o.Kind.Kind, Name: o.Name, UID: string(o.UID)},
		},
		Carried: images,
	}, h).restart
}

// used is a restart with the use that it is.
type used struct {
	restart

	use policies.Use
}

// made evaluates a creation for one restriction. Where admission sees nothing, it
// allows.
func (g *gathering) made(request policies.Request, h *hit) used {
	for _, f := range g.Rules.Evaluate(request, g.instant()).Findings {
		if f.Vendor == h.Vendor && f.Restriction == h.Restriction {
			return used{restart{action: f.Action}, f.Use}
		}
	}
	return used{restart: restart{action: v1alpha1.ActionAllow}}
}

// carried returns what the webhook takes an owner to carry: its own images and, of an
// owner that keeps them, its ControllerRevisions'. An owner that isn't there, or that is
// being deleted, carries nothing.
func (g *gathering) carried(owner *inventory.Object) []workload.Image {
	if owner == nil || owner.Deleting {
		return nil
	}
	images := imagesOf(owner.Body)
	if !keepsRevisions(owner.Kind.GroupKind()) {
		return images
	}
	for _, revision := range g.revisions[owner.UID] {
		images = append(images, imagesOf(revision.Body)...)
	}
	return images
}

func keepsRevisions(kind schema.GroupKind) bool {
	return kind.Group == appsv1.GroupName && (kind.Kind == "StatefulSet" || kind.Kind == "DaemonSet")
}

func imagesOf(b *inventory.Body) []workload.Image {
	images := make([]workload.Image, 0, len(b.Places))
	for i := range b.Places {
		images = append(images, b.Places[i].Image)
	}
	return images
}
