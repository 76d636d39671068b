package command

import (
	"cmp"
	"context"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"embargo.dev/cmd/kubectl-embargo/internal/manifest"
	"embargo.dev/cmd/kubectl-embargo/internal/output"
	"embargo.dev/policies"
	"embargo.dev/policies/workload"
)

// candidate is an object with an image that may be a vendor's, kept until all
// namespaces are known.
type candidate struct {
	identity output.Finding // without the finding
	kind     schema.GroupVersionKind
	object   workload.Object
	places   map[string]manifest.Place // of each image field
}

var namespaceKind = schema.GroupKind{Kind: "Namespace"}

// defaultNamespace is that of a manifest which doesn't say.
const defaultNamespace = "default"

// manifests evaluates the objects in the files. Of an object in which no vendor's image
// can be nothing is kept, so that large inputs need little memory.
func (c *check) manifests(ctx context.Context) {
	g := &gathered{check: c, namespaces: map[string]policies.Namespace{}, seen: map[string]bool{}}
	meter := newMeter(c.ErrOut)
	reader := &manifest.Reader{Stdin: c.In, Recursive: c.recursive, Unfollowed: c.unfollowed, Progress: meter.read, Broken: func(err *manifest.Error) {
		meter.clear()
		c.broken(err)
	}}
	reader.Read(ctx, c.files, g.take)
	meter.clear()
	if c.result.Summary.Objects == 0 {
		c.notice("there is no Kubernetes object in %s", strings.Join(c.files, ", "))
	}
	decide := c.decider(ctx, g.namespaces)
	for i := range g.candidates {
		c.evaluate(ctx, &g.candidates[i], g.namespaces, decide)
		g.candidates[i] = candidate{} // its findings are all that is needed now
	}
	for _, name := range g.places {
		if _, known := g.namespaces[name]; !known && c.uses.live == nil && c.set.SelectsByLabels() {
			c.notice("the labels of namespace %q are not in the input: every policy is taken to select it, and a waiver only by its name", name)
		}
	}
}

// gathered is what is kept of the input.
type gathered struct {
	*check

	candidates []candidate
	namespaces map[string]policies.Namespace
	places     []string // the namespaces that have images, in the order of the input
	seen       map[string]bool
}

func (g *gathered) take(d *manifest.Document) {
	objects, others := d.Objects()
	g.result.Summary.Skipped += others
	for _, o := range objects {
		g.result.Summary.Objects++
		if o.Kind().GroupKind() == namespaceKind {
			ns := namespaceOf(o)
			g.namespaces[ns.Name] = ns
		}
		g.object(o)
	}
}

func (g *gathered) object(o manifest.Object) {
	one := g.newCandidate(o)
	if len(one.object.Images) == 0 {
		return
	}
	g.result.Summary.Images += len(one.object.Images)
	if name := one.identity.Namespace; !g.seen[name] {
		g.seen[name] = true
		g.places = append(g.places, name)
	}
	if output.NeedsImages(g.format) {
		g.result.AddImages(one.identity, one.object.Images)
	}
	if g.set.Suspects(one.kind.GroupKind(), one.object.Images) {
		one.locate(o)
		g.candidates = append(g.candidates, one)
	}
}

func namespaceOf(o manifest.Object) policies.Namespace {
	object := workload.FromMap(o.Kind().GroupKind(), o.Fields)
	return policies.Namespace{Name: object.Name, Labels: o.Labels(), Known: true}
}

func (c *check) newCandidate(o manifest.Object) candidate {
	gvk := o.Kind()
	one := candidate{kind: gvk, object: workload.FromMap(gvk.GroupKind(), o.Fields)}
	one.identity = output.Finding{
		File: o.Document.File, APIVersion: gvk.GroupVersion().String(), Kind: gvk.Kind,
		Namespace: cmp.Or(one.object.Namespace, c.namespace), Name: cmp.Or(one.object.Name, one.object.GenerateName),
	}
	return one
}

// locate finds the places of the image fields, which takes reading the text once more.
func (one *candidate) locate(o manifest.Object) {
	one.places = make(map[string]manifest.Place, len(one.object.Images))
	for _, img := range one.object.Images {
		one.places[img.Field] = o.Place(img.Field)
	}
}

func (c *check) evaluate(ctx context.Context, one *candidate, namespaces map[string]policies.Namespace, decide decider) {
	ns, known := namespaces[one.identity.Namespace]
	if !known {
		ns = policies.Namespace{Name: one.identity.Namespace}
	}
	c.add(one, decide(ctx, one, policies.Request{
		Operation: policies.Create,
		Kind:      one.kind.GroupKind(),
		Namespace: ns,
		Object:    one.object,
	}))
}

// add adds a decision's findings to the result.
func (c *check) add(one *candidate, d policies.Decision) {
	for _, n := range d.Notices() {
		c.notice("%s", n)
	}
	for _, f := range d.Findings {
		finding := one.identity
		place := one.places[f.Field]
		finding.Line, finding.Column, finding.EndColumn, finding.Finding = place.Line, place.Column, place.EndColumn, f
		c.result.Findings = append(c.result.Findings, finding)
	}
}
