package command

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"embargo.dev/cmd/kubectl-embargo/internal/manifest"
	"embargo.dev/policies/workload"
)

// owners are objects from files that others may name as their controller owner.
type owners struct{ carriers []carrier }

// carrier is an object that children may take images from.
type carrier struct {
	kind   schema.GroupKind
	object workload.Object
}

func (o *owners) add(kind schema.GroupKind, object workload.Object) {
	if object.UID != "" || object.Controller != nil {
		o.carriers = append(o.carriers, carrier{kind, object})
	}
}

// carried returns the images of the owner with the UID, unless it is being deleted,
// and of its ControllerRevisions.
func (o *owners) carried(uid string) []workload.Image {
	var images []workload.Image
	for _, c := range o.carriers {
		isOwner := c.object.UID == uid && !c.object.Deleting && workload.Builtin(c.kind)
		isRevision := c.kind.Kind == "ControllerRevision" && c.object.Controller != nil && c.object.Controller.UID == uid
		if isOwner || isRevision {
			images = append(images, c.object.Images...)
		}
	}
	return slices.Clip(images)
}

// surroundings are what the webhook would read from the cluster for a recorded review:
// owners and namespaces.
type surroundings struct {
	owners

	namespaces namespaceLabels
}

// readSurroundings reads them from files.
func (c *check) readSurroundings(ctx context.Context, sources []string) *surroundings {
	var s surroundings
	c.readObjects(ctx, sources, func(o manifest.Object) {
		kind := o.Kind().GroupKind()
		if kind == namespaceKind {
			s.namespaces.add(o)
			return
		}
		if object := workload.FromMap(kind, o.Fields); len(object.Images) > 0 {
			s.add(kind, object)
		}
	}, c.broken)
	return &s
}

// readObjects visits the objects in files that are not evaluated themselves.
func (c *check) readObjects(ctx context.Context, sources []string, visit func(manifest.Object), broken func(*manifest.Error)) {
	reader := &manifest.Reader{Stdin: c.In, Recursive: c.recursive, Exclude: c.exclude, Unfollowed: c.unfollowed, Broken: broken}
	reader.Read(ctx, sources, func(d *manifest.Document) {
		objects, _ := d.Objects()
		for _, o := range objects {
			visit(o)
		}
	})
}
