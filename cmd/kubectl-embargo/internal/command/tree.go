package command

import (
	"cmp"
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"embargo.dev/cmd/kubectl-embargo/internal/manifest"
	"embargo.dev/policies"
	"embargo.dev/policies/workload"
)

// tree is objects as they are beside those that are evaluated: those that the webhook
// would find in the cluster. Of objects only what carries images is kept.
type tree struct {
	namespace  string // of objects that don't say
	namespaces map[string]policies.Namespace
	objects    map[objectKey]workload.Object
	carriers   []carrier
}

// objectKey names an object whatever the version of its kind.
type objectKey struct {
	kind            schema.GroupKind
	namespace, name string
}

// carrier is an object that children may take images from.
type carrier struct {
	kind   schema.GroupKind
	object workload.Object
}

func (t *tree) keyOf(kind schema.GroupKind, o *workload.Object) objectKey {
	if kind.Group == "extensions" {
		kind.Group = "apps" // where its workloads went
	}
	return objectKey{kind: kind, namespace: cmp.Or(o.Namespace, t.namespace), name: o.Name}
}

// readTree reads a tree from files.
func (c *check) readTree(ctx context.Context, sources []string) *tree {
	t := &tree{namespace: c.namespace, namespaces: map[string]policies.Namespace{}, objects: map[objectKey]workload.Object{}}
	reader := &manifest.Reader{Stdin: c.In, Recursive: c.recursive, Unfollowed: c.unfollowed, Broken: c.broken}
	reader.Read(ctx, sources, func(d *manifest.Document) {
		objects, _ := d.Objects()
		for _, o := range objects {
			t.add(o)
		}
	})
	return t
}

func (t *tree) add(o manifest.Object) {
	kind := o.Kind().GroupKind()
	if kind == namespaceKind {
		ns := namespaceOf(o)
		t.namespaces[ns.Name] = ns
		return
	}
	object := workload.FromMap(kind, o.Fields)
	if len(object.Images) == 0 {
		return
	}
	if object.Name != "" {
		t.objects[t.keyOf(kind, &object)] = object
	}
	if object.UID != "" || object.Controller != nil {
		t.carriers = append(t.carriers, carrier{kind, object})
	}
}

// carried returns the images of the owner with the UID, unless it is being deleted,
// and of its ControllerRevisions.
func (t *tree) carried(uid string) []workload.Image {
	var images []workload.Image
	for _, c := range t.carriers {
		isOwner := c.object.UID == uid && !c.object.Deleting && workload.Builtin(c.kind)
		isRevision := c.kind.Kind == "ControllerRevision" && c.object.Controller != nil && c.object.Controller.UID == uid
		if isOwner || isRevision {
			images = append(images, c.object.Images...)
		}
	}
	return slices.Clip(images)
}
