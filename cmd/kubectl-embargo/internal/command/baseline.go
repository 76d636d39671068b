package command

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"embargo.dev/cmd/kubectl-embargo/internal/manifest"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/policies/workload"
)

// baseline holds the manifests as they were before a change, which --old names. An object
// is compared with the one in the file at the same path. An object whose file moved is
// compared with those of its kind, namespace and name that have no successor at their own
// path. Objects of one name in different files never stand in for each other.
type baseline struct {
	owners

	namespace string          // of objects that name none
	files     map[string]bool // manifest.Document.Path
	previous  map[objectKey][]previousObject
	// current has the files in which the evaluated manifests name an object that the
	// baseline has too.
	current map[objectKey][]location
}

// previousObject is an object of the baseline that carries images.
type previousObject struct {
	location

	object workload.Object
}

// location is where an object stands.
type location struct {
	file string // as the user named it
	path string // manifest.Document.Path
}

func locationOf(o manifest.Object) location {
	return location{file: o.Document.File, path: o.Document.Path}
}

// objectKey names an object whatever the version of its kind.
type objectKey struct {
	kind            schema.GroupKind
	namespace, name string
}

func (b *baseline) keyOf(kind schema.GroupKind, o *workload.Object) objectKey {
	if kind.Group == "extensions" {
		kind.Group = "apps" // Kubernetes moved these kinds
	}
	return objectKey{kind: kind, namespace: cmp.Or(o.Namespace, b.namespace), name: o.Name}
}

// readBaseline reads the manifests that --old names.
func (g *gathered) readBaseline(ctx context.Context) *baseline {
	b := &baseline{namespace: g.namespace, files: map[string]bool{}, previous: map[objectKey][]previousObject{}, current: map[objectKey][]location{}}
	g.readObjects(ctx, []string{g.uses.old}, b.add, g.unreadable)
	return b
}

func (b *baseline) add(o manifest.Object) {
	b.files[o.Document.Path] = true
	kind := o.Kind().GroupKind()
	object := workload.FromMap(kind, o.Fields)
	if len(object.Images) == 0 {
		return
	}
	b.owners.add(kind, object)
	if object.Name != "" {
		key := b.keyOf(kind, &object)
		b.previous[key] = append(b.previous[key], previousObject{locationOf(o), object})
	}
}

// locate returns where an evaluated object stands. The path below the working folder is
// tried too: folders of a repository are often checked against a copy of the whole.
func (b *baseline) locate(o manifest.Object) location {
	at := locationOf(o)
	if at.path == "" || b.files[at.path] {
		return at
	}
	if below := manifest.BelowWorkingFolder(at.file); b.files[below] {
		at.path = below
	}
	return at
}

// register notes that the evaluated manifests have an object. All of them must be
// registered before the first one is compared.
func (b *baseline) register(one *candidate) {
	if one.object.Name == "" {
		return
	}
	key := b.keyOf(one.kind.GroupKind(), &one.object)
	if len(b.previous[key]) > 0 && !slices.Contains(b.current[key], one.at) {
		b.current[key] = append(b.current[key], one.at)
	}
}

// predecessors returns the objects that the one at a location may have been before. It
// may also be new, where more files claim these objects than hold them.
func (b *baseline) predecessors(key objectKey, at location, images []workload.Image) (found []previousObject, maybeNew bool) {
	previous, current := b.previous[key], b.current[key]
	if here := atPath(previous, at.path); at.path != "" && len(here) > 0 {
		claims := slices.DeleteFunc(slices.Clone(current), func(l location) bool { return l.path != at.path })
		return distinct(here, images), len(claims) > 1
	}
	moved := slices.DeleteFunc(slices.Clone(previous), func(p previousObject) bool {
		return p.path != "" && slices.ContainsFunc(current, func(l location) bool { return l.path == p.path })
	})
	if len(moved) == 0 {
		return nil, false
	}
	claims := slices.DeleteFunc(slices.Clone(current), func(l location) bool {
		return l.path != "" && len(atPath(previous, l.path)) > 0
	})
	return distinct(moved, images), len(claims) > len(filesOf(moved))
}

func atPath(objects []previousObject, path string) []previousObject {
	return slices.DeleteFunc(slices.Clone(objects), func(p previousObject) bool { return p.path != path })
}

// distinct leaves out objects that carry the same images as another one. Where all stand
// in one file and one of them carries the given images, it is the one that is meant.
func distinct(objects []previousObject, images []workload.Image) []previousObject {
	if len(filesOf(objects)) == 1 {
		if i := slices.IndexFunc(objects, func(p previousObject) bool { return slices.Equal(p.object.Images, images) }); i >= 0 {
			return objects[i : i+1]
		}
	}
	var kept []previousObject
	for _, p := range objects {
		if !slices.ContainsFunc(kept, func(k previousObject) bool { return slices.Equal(k.object.Images, p.object.Images) }) {
			kept = append(kept, p)
		}
	}
	return kept
}

func filesOf(objects []previousObject) []string {
	var files []string
	for _, p := range objects {
		if !slices.Contains(files, p.file) {
			files = append(files, p.file)
		}
	}
	return files
}

// againstBaseline decides as if the cluster held the manifests of the baseline.
func (c *check) againstBaseline(b *baseline) decider {
	return func(_ context.Context, one *candidate, request policies.Request) policies.Decision {
		if owner := request.Object.Controller; owner != nil {
			request.Carried = b.carried(owner.UID)
		}
		if one.object.Name == "" {
			c.notice("--old: an object without a name (metadata.generateName) is created anew each time, so its images are newly introduced")
		}
		key := b.keyOf(one.kind.GroupKind(), &one.object)
		predecessors, maybeNew := b.predecessors(key, one.at, one.object.Images)
		var decisions []policies.Decision
		for _, p := range predecessors {
			replacing := request
			replaces(&replacing, p.object)
			if owner := replacing.Object.Controller; owner != nil {
				replacing.Carried = b.carried(owner.UID)
			}
			decisions = append(decisions, c.set.Evaluate(replacing, c.instant))
		}
		if len(predecessors) == 0 || maybeNew {
			decisions = append(decisions, c.set.Evaluate(request, c.instant))
		}
		if len(decisions) > 1 {
			c.notice("--old: %s in %s may be any of those in %s: the strictest use of each image counts",
				one.title(), one.at.file, strings.Join(filesOf(b.previous[key]), ", "))
		}
		return strictest(one.object.Images, decisions)
	}
}

// strictest returns the findings of all decisions, each with its strictest use.
func strictest(images []workload.Image, decisions []policies.Decision) policies.Decision {
	merged := decisions[0]
	if len(decisions) == 1 {
		return merged
	}
	merged.Findings = slices.Clone(merged.Findings)
	for _, d := range decisions[1:] {
		for _, f := range d.Findings {
			same := func(o policies.Finding) bool {
				return o.Field == f.Field && o.Vendor == f.Vendor && o.Restriction == f.Restriction
			}
			switch i := slices.IndexFunc(merged.Findings, same); {
			case i < 0:
				merged.Findings = append(merged.Findings, f)
			case strictness(f.Use) > strictness(merged.Findings[i].Use):
				merged.Findings[i] = f
			}
		}
	}
	position := make(map[string]int, len(images))
	for i, img := range images {
		position[img.Field] = i
	}
	slices.SortStableFunc(merged.Findings, func(a, b policies.Finding) int {
		return cmp.Or(cmp.Compare(position[a.Field], position[b.Field]), cmp.Compare(a.Vendor, b.Vendor), cmp.Compare(a.Restriction, b.Restriction))
	})
	merged.Action = v1alpha1.ActionAllow
	for i := range merged.Findings {
		merged.Action = merged.Action.Stronger(merged.Findings[i].Action)
	}
	return merged
}

// strictness orders the uses: every schedule treats an introduction at least as strictly
// as an update, and an update as what continues.
func strictness(use policies.Use) int {
	return slices.Index([]policies.Use{policies.UseContinue, policies.UseUpdate, policies.UseIntroduce}, use)
}
