package command

import (
	"cmp"
	"context"
	"fmt"

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
	at       location
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
	g := &gathered{check: c, seen: map[string]bool{}, skippedInput: skippedInput{told: map[string]bool{}}}
	if c.uses.old != "" {
		g.baseline = g.readBaseline(ctx)
	}
	meter := newMeter(c.ErrOut)
	reader := &manifest.Reader{
		Stdin: c.In, Recursive: c.recursive, Exclude: c.exclude, Progress: meter.read,
		Unfollowed: c.unfollowed, NotEntered: g.notEntered, Excluded: func(string) { g.excluded++ },
		Broken: func(err *manifest.Error) {
			meter.clear()
			g.unreadable(err)
		},
	}
	reader.Read(ctx, c.files, g.take)
	meter.clear()
	if ctx.Err() != nil {
		return
	}
	g.noteSkipped()
	decide := c.decider(ctx, g.baseline, g.namespaces.known)
	for i := range g.candidates {
		c.evaluate(ctx, &g.candidates[i], &g.namespaces, decide)
		g.candidates[i] = candidate{} // its findings are all that is needed now
	}
	if c.uses.live == nil && c.set.SelectsByLabels() {
		for _, name := range g.places {
			c.noteUnknown(name, &g.namespaces)
		}
	}
}

// noteUnknown notes that the labels of a namespace are unknown, and what follows.
func (c *check) noteUnknown(name string, namespaces *namespaceLabels) {
	const consequence = "every policy is taken to select it, and a waiver only by its name"
	if disputed := namespaces.disputed[name]; disputed != "" {
		c.notice("namespace %q has different labels at %s, so they count as unknown: %s", name, disputed, consequence)
	} else if !namespaces.lookup(name).Known {
		c.notice("the labels of namespace %q are not in the input: %s", name, consequence)
	}
}

// gathered is what is kept of the input.
type gathered struct {
	*check

	candidates []candidate
	baseline   *baseline // nil without --old
	namespaces namespaceLabels
	places     []string // the namespaces that have images, in the order of the input
	seen       map[string]bool

	skippedInput
}

func (g *gathered) take(d *manifest.Document) {
	objects, others := d.Objects()
	g.result.Summary.Skipped += others
	g.skipped(d, others)
	for _, o := range objects {
		if isKustomization(o) {
			g.result.Summary.Skipped++
			g.kustomization(d)
			continue
		}
		g.result.Summary.Objects++
		if o.Kind().GroupKind() == namespaceKind {
			g.namespaces.add(o)
		}
		g.object(o)
	}
}

func (g *gathered) object(o manifest.Object) {
	one := g.newCandidate(o)
	if g.baseline != nil {
		one.at = g.baseline.locate(o)
		g.baseline.register(&one)
	}
	g.noteOtherImages(o, &one)
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

func (c *check) newCandidate(o manifest.Object) candidate {
	gvk := o.Kind()
	one := candidate{at: locationOf(o), kind: gvk, object: workload.FromMap(gvk.GroupKind(), o.Fields)}
	one.identity = output.Finding{
		File: o.Document.File, APIVersion: gvk.GroupVersion().String(), Kind: gvk.Kind,
		Namespace: cmp.Or(one.object.Namespace, c.namespace), Name: cmp.Or(one.object.Name, one.object.GenerateName),
	}
	return one
}

// title names the object for people.
func (one *candidate) title() string {
	return fmt.Sprintf("%s %s/%s", one.identity.Kind, one.identity.Namespace, one.identity.Name)
}

// locate finds the places of the image fields, which takes reading the text once more.
func (one *candidate) locate(o manifest.Object) {
	one.places = make(map[string]manifest.Place, len(one.object.Images))
	for _, img := range one.object.Images {
		one.places[img.Field] = o.Place(img.Field)
	}
}

func (c *check) evaluate(ctx context.Context, one *candidate, namespaces *namespaceLabels, decide decider) {
	c.add(one, decide(ctx, one, policies.Request{
		Operation: policies.Create,
		Kind:      one.kind.GroupKind(),
		Namespace: namespaces.lookup(one.identity.Namespace),
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
