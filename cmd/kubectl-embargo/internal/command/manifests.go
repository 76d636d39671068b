package command

import (
	"cmp"
	"context"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"embargo.dev/cmd/kubectl-embargo/internal/manifest"
	"embargo.dev/cmd/kubectl-embargo/internal/output"
	"embargo.dev/policies"
	"embargo.dev/policies/workload"
)

// candidate is an object with images, kept until all namespaces are known.
type candidate struct {
	identity output.Finding // without the finding
	kind     schema.GroupVersionKind
	object   workload.Object
	places   map[string][2]int // line and column of each image field
}

var namespaceKind = schema.GroupKind{Kind: "Namespace"}

// defaultNamespace is that of a manifest which doesn't say.
const defaultNamespace = "default"

// manifests evaluates the objects in the files. An object is kept only as far as its
// images go, so that large inputs need little memory.
func (c *check) manifests(ctx context.Context) {
	var candidates []candidate
	namespaces := map[string]policies.Namespace{}
	reader := &manifest.Reader{Stdin: c.In, Recursive: c.recursive, Broken: c.broken}
	reader.Read(ctx, c.files, func(d *manifest.Document) {
		objects, others := d.Objects()
		c.result.Summary.Skipped += others
		for _, o := range objects {
			c.result.Summary.Objects++
			if o.Kind().GroupKind() == namespaceKind {
				ns := namespaceOf(o)
				namespaces[ns.Name] = ns
			}
			if one := c.newCandidate(o); len(one.object.Images) > 0 {
				candidates = append(candidates, one)
			}
		}
	})
	decide := c.decider(ctx, namespaces)
	for i := range candidates {
		c.result.Summary.Images += len(candidates[i].object.Images)
		c.evaluate(ctx, &candidates[i], namespaces, decide)
	}
}

func namespaceOf(o manifest.Object) policies.Namespace {
	object := workload.FromMap(o.Kind().GroupKind(), o.Fields)
	return policies.Namespace{Name: object.Name, Labels: o.Labels(), Known: true}
}

func (c *check) newCandidate(o manifest.Object) candidate {
	gvk := o.Kind()
	one := candidate{kind: gvk, object: workload.FromMap(gvk.GroupKind(), o.Fields), places: map[string][2]int{}}
	one.identity = output.Finding{
		File: o.Document.File, APIVersion: gvk.GroupVersion().String(), Kind: gvk.Kind,
		Namespace: cmp.Or(one.object.Namespace, c.namespace, defaultNamespace), Name: cmp.Or(one.object.Name, one.object.GenerateName),
	}
	for _, img := range one.object.Images {
		line, column := o.Position(img.Field)
		one.places[img.Field] = [2]int{line, column}
	}
	return one
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
	if !known && c.uses.live == nil && c.set.SelectsByLabels() {
		c.notice("the labels of namespace %q are not in the input: every policy is taken to select it, and no waiver", ns.Name)
	}
}

// add adds a decision's findings to the result.
func (c *check) add(one *candidate, d policies.Decision) {
	for _, n := range d.Notices() {
		c.notice("%s", n)
	}
	for _, f := range d.Findings {
		finding := one.identity
		place := one.places[f.Field]
		finding.Line, finding.Column, finding.Finding = place[0], place[1], f
		c.result.Findings = append(c.result.Findings, finding)
	}
}
