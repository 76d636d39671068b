package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"sigs.k8s.io/yaml"

	"embargo.dev/cmd/kubectl-embargo/internal/manifest"
	"embargo.dev/policies"
	"embargo.dev/policies/catalog"
	"embargo.dev/policies/v1alpha1"
)

// rulesOptions say by which rules to evaluate.
type rulesOptions struct {
	lists     []string
	policies  []string
	audiences []string
}

// rules are what to evaluate by, and where each object stands, so that a problem can
// be named with its place.
type rules struct {
	source  policies.Source
	places  map[string]manifest.Object
	notices []string
}

// load reads the rules strictly, and fills in what isn't given. What can't be read is
// told to broken.
func (o *rulesOptions) load(ctx context.Context, stdin io.Reader, broken func(*manifest.Error)) (*rules, error) {
	r := &rules{places: map[string]manifest.Object{}}
	reader := &manifest.Reader{Stdin: stdin, Broken: broken}
	reader.Read(ctx, o.lists, func(d *manifest.Document) { r.take(d, broken, "--list", "RestrictedVendor") })
	reader.Read(ctx, o.policies, func(d *manifest.Document) { r.take(d, broken, "--policy", "VendorPolicy", "VendorWaiver") })
	if len(o.lists) == 0 {
		vendors, err := catalog.Vendors()
		if err != nil {
			return nil, err
		}
		r.source.Vendors = vendors
		r.notices = append(r.notices, "no --list is given: the built-in restricted list is used")
	}
	if len(r.source.Policies) == 0 {
		r.source.Policies = []v1alpha1.VendorPolicy{catalog.DefaultPolicy()}
		r.notices = append(r.notices, "no VendorPolicy is given: the default policy is assumed (audience us-persons, enforcement Deny)")
	}
	if len(o.audiences) > 0 {
		for i := range r.source.Policies {
			r.source.Policies[i].Spec.Audiences = o.audiences
		}
	}
	return r, nil
}

// take takes the objects of a document, of which only some kinds are meant.
func (r *rules) take(d *manifest.Document, broken func(*manifest.Error), flag string, kinds ...string) {
	objects := d.Objects()
	if len(objects) == 0 {
		broken(&manifest.Error{File: d.File, Line: d.Line, Err: fmt.Errorf("no Kubernetes object; %s takes %s objects", flag, strings.Join(kinds, " and "))})
	}
	for _, o := range objects {
		if err := r.takeObject(o, flag, kinds); err != nil {
			line, _ := o.Position("")
			broken(&manifest.Error{File: d.File, Line: line, Err: err})
		}
	}
}

var errKind = errors.New("not of the right kind")

func (r *rules) takeObject(o manifest.Object, flag string, kinds []string) error {
	raw, err := yaml.Marshal(o.Fields)
	if err != nil {
		return err
	}
	gvk := o.Kind()
	for _, kind := range kinds {
		if gvk != v1alpha1.GroupVersion.WithKind(kind) {
			continue
		}
		switch kind {
		case "RestrictedVendor":
			return strict(r, o, raw, &r.source.Vendors)
		case "VendorPolicy":
			return strict(r, o, raw, &r.source.Policies)
		default:
			return strict(r, o, raw, &r.source.Waivers)
		}
	}
	return fmt.Errorf("%w: %s; %s takes %s of %s", errKind, gvk.Kind, flag, strings.Join(kinds, " and "), v1alpha1.GroupVersion)
}

// strict decodes an object; a key that its kind doesn't have is an error.
func strict[T any](r *rules, o manifest.Object, raw []byte, list *[]T) error {
	var object T
	if err := yaml.UnmarshalStrict(raw, &object); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "error unmarshaling JSON: while decoding JSON: "))
	}
	*list = append(*list, object)
	metadata, _ := o.Fields["metadata"].(map[string]any)
	r.places[fmt.Sprint(o.Kind().Kind, "/", metadata["name"])] = o
	return nil
}

// compile compiles the rules; what doesn't compile is told with its place.
func (r *rules) compile(broken func(*manifest.Error)) *policies.RuleSet {
	set, problems := policies.Compile(r.source)
	for _, p := range problems {
		e := &manifest.Error{File: "built-in", Err: p}
		if o, ok := r.places[p.Kind+"/"+p.Name]; ok {
			e.File = o.Document.File
			e.Line, _ = o.Position(p.Err.Field)
		}
		broken(e)
	}
	return set
}
