package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"embargo.dev/cmd/kubectl-embargo/internal/cluster"
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
	verbose   bool             // also remark on vendors that no file gives
	live      *cluster.Cluster // has what isn't given; nil: it is built in
}

// rules are what to evaluate by, and where each object stands, so that a problem can
// be named with its place.
type rules struct {
	source  policies.Source
	places  map[string]manifest.Object
	notices []string
	broken  func(*manifest.Error)
	whole   bool            // the policies come with the vendors of their cluster
	unused  map[string]bool // lists with policies or waivers in them, which --policy doesn't read
	// unreadPolicies says that --policy names something that could not be read.
	unreadPolicies bool
}

// load reads the rules strictly, and fills in what isn't given. What can't be read is
// told to broken, and what of the cluster can't to unread.
func (o *rulesOptions) load(ctx context.Context, stdin io.Reader, broken func(*manifest.Error), unread func(error)) (*rules, error) {
	r := o.readFiles(ctx, stdin, broken)
	if err := ctx.Err(); err != nil {
		return nil, err // nothing follows from half of the rules
	}
	if err := o.complete(ctx, r, unread); err != nil {
		return nil, err
	}
	return r, checkAudiences(o.audiences, r.source.Vendors)
}

// complete fills in what isn't given, and looks the whole over.
func (o *rulesOptions) complete(ctx context.Context, r *rules, unread func(error)) error {
	if err := o.fill(ctx, r, unread); err != nil {
		return err
	}
	for i := range r.source.Policies {
		if len(o.audiences) > 0 {
			r.source.Policies[i].Spec.Audiences = o.audiences
		}
		if o, given := r.places["VendorPolicy/"+r.source.Policies[i].Name]; given {
			r.checkPolicy(o, &r.source.Policies[i])
		}
	}
	r.noteOddities(o.verbose)
	return nil
}

// fill fills in what isn't given, from the cluster or from what is built in.
func (o *rulesOptions) fill(ctx context.Context, r *rules, unread func(error)) error {
	if o.live != nil {
		err := o.readCluster(ctx, r)
		if err == nil {
			return nil
		}
		unread(err)
		r.notices = append(r.notices, fmt.Sprintf("the rules of cluster %s can't be read: what isn't given is assumed", o.live.Name))
	}
	if len(o.lists) == 0 {
		if err := r.assumeList(); err != nil {
			return err
		}
	}
	r.assumePolicy()
	return nil
}

// loadList reads the restricted list alone.
func (o *rulesOptions) loadList(ctx context.Context, stdin io.Reader, broken func(*manifest.Error)) (*rules, error) {
	r := o.readFiles(ctx, stdin, broken)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r.notices = nil // policies aren't asked for
	if len(o.lists) == 0 {
		if err := r.assumeList(); err != nil {
			return nil, err
		}
	}
	r.noteOddities(o.verbose)
	return r, checkAudiences(o.audiences, r.source.Vendors)
}

// builtinList stands for the built-in restricted list among files of --list.
const builtinList = "builtin"

// readFiles reads what is given.
func (o *rulesOptions) readFiles(ctx context.Context, stdin io.Reader, broken func(*manifest.Error)) *rules {
	r := &rules{places: map[string]manifest.Object{}, broken: broken, unused: map[string]bool{}}
	files := slices.DeleteFunc(slices.Clone(o.lists), func(list string) bool { return list == builtinList })
	if len(files) < len(o.lists) {
		r.addBuiltin()
	}
	r.read(ctx, stdin, "--list", files, func(d *manifest.Document) { r.take(d, "--list", r.vendor) })
	if len(files) > 0 && len(files) == len(o.lists) {
		r.notices = append(r.notices, "the built-in restricted list is not used; --list "+builtinList+" adds it")
	}
	failed := r.read(ctx, stdin, "--policy", o.policies, func(d *manifest.Document) {
		delete(r.unused, d.File)
		r.take(d, "--policy", r.policyOrWaiver)
	})
	r.unreadPolicies = failed && len(r.source.Policies) == 0
	for _, file := range slices.Sorted(maps.Keys(r.unused)) {
		r.notices = append(r.notices, fmt.Sprintf("the VendorPolicies and VendorWaivers in %s are not used: give it to --policy too", file))
	}
	return r
}

// read reads what a flag names, and reports whether something could not be read. Where no
// object of the flag's kinds is in it, evaluating would mean that nothing is restricted, or
// that something is assumed, which nobody means who names files.
func (r *rules) read(ctx context.Context, stdin io.Reader, flag string, sources []string, visit func(*manifest.Document)) (failed bool) {
	broken := r.broken
	r.broken = func(err *manifest.Error) {
		failed = true
		broken(err)
	}
	defer func() { r.broken = broken }()
	before := len(r.places)
	reader := &manifest.Reader{Stdin: stdin, Broken: func(err *manifest.Error) { r.broken(err) }}
	reader.Read(ctx, sources, visit)
	if len(sources) > 0 && len(r.places) == before && !failed {
		r.broken(&manifest.Error{File: strings.Join(sources, ", "), Err: fmt.Errorf("%s: there is no %s in it", flag, kindsOf[flag])})
	}
	return failed
}

// kindsOf are the kinds that a flag's files hold.
var kindsOf = map[string]string{"--list": "RestrictedVendor", "--policy": "VendorPolicy or VendorWaiver"}

// readCluster takes from the cluster what isn't given.
func (o *rulesOptions) readCluster(ctx context.Context, r *rules) error {
	if len(o.lists) > 0 && len(o.policies) > 0 {
		r.assumePolicy()
		return nil
	}
	source, err := o.live.Rules(ctx)
	if err != nil {
		return err
	}
	if len(o.lists) == 0 {
		r.source.Vendors = source.Vendors
	}
	if len(o.policies) > 0 {
		r.assumePolicy()
		return nil
	}
	r.source.Policies, r.source.Waivers, r.whole = source.Policies, source.Waivers, true
	r.assumePolicy()
	return nil
}

// addBuiltin adds the built-in list to those in files.
func (r *rules) addBuiltin() {
	vendors, err := catalog.Vendors()
	if err != nil {
		r.broken(&manifest.Error{File: "built-in list", Err: err})
	}
	r.source.Vendors = append(r.source.Vendors, vendors...)
}

// assumeList takes the built-in list.
func (r *rules) assumeList() error {
	vendors, err := catalog.Vendors()
	if err != nil {
		return err
	}
	r.source.Vendors = vendors
	r.notices = append(r.notices, "no --list is given: the built-in restricted list is used")
	return nil
}

// assumePolicy takes the default policy where there is none, but not in place of a
// cluster that has none.
func (r *rules) assumePolicy() {
	switch {
	case len(r.source.Policies) > 0:
	case r.whole:
		r.notices = append(r.notices, "there is no VendorPolicy: nothing is restricted")
	default:
		p := catalog.DefaultPolicy()
		r.source.Policies = []v1alpha1.VendorPolicy{p}
		cause := "no VendorPolicy is given"
		if r.unreadPolicies {
			cause = "the policies given can't be read"
		}
		r.notices = append(r.notices, fmt.Sprintf("%s: the default policy is assumed (audience %s, enforcement %s)",
			cause, strings.Join(p.Spec.Audiences, ", "), p.Spec.Enforcement))
	}
}

// take takes the objects of a document with a function for the kinds that are meant.
func (r *rules) take(d *manifest.Document, flag string, one func(manifest.Object) []*manifest.Error) {
	objects, others := d.Objects()
	if others > 0 {
		r.broken(&manifest.Error{File: d.File, Line: d.Line, Err: fmt.Errorf("%s: no Kubernetes object", flag)})
	}
	for _, o := range objects {
		for _, err := range one(o) {
			r.broken(err)
		}
	}
}

func (r *rules) vendor(o manifest.Object) []*manifest.Error {
	if isPolicyOrWaiver(o) {
		r.unused[o.Document.File] = true // a rule set in one file, as export writes it
		return nil
	}
	if o.Kind() != vendorKind {
		return wrongKind(o, "--list takes RestrictedVendor objects")
	}
	v, errs := decode[v1alpha1.RestrictedVendor](o)
	if errs = append(errs, r.register(o, v.Name)...); len(errs) == 0 {
		r.source.Vendors = append(r.source.Vendors, v)
	}
	return errs
}

var (
	vendorKind = v1alpha1.GroupVersion.WithKind("RestrictedVendor")
	policyKind = v1alpha1.GroupVersion.WithKind("VendorPolicy")
	waiverKind = v1alpha1.GroupVersion.WithKind("VendorWaiver")
)

func isPolicyOrWaiver(o manifest.Object) bool {
	return o.Kind() == policyKind || o.Kind() == waiverKind
}

func (r *rules) policyOrWaiver(o manifest.Object) []*manifest.Error {
	switch o.Kind() {
	case policyKind:
		p, errs := decode[v1alpha1.VendorPolicy](o)
		if errs = append(errs, r.register(o, p.Name)...); len(errs) == 0 {
			r.source.Policies = append(r.source.Policies, p)
		}
		return errs
	case waiverKind:
		w, errs := decode[v1alpha1.VendorWaiver](o)
		if errs = append(errs, r.register(o, w.Name)...); len(errs) == 0 {
			errs = validWaiver(o, &w)
		}
		if len(errs) == 0 {
			r.source.Waivers = append(r.source.Waivers, w)
		}
		return errs
	case vendorKind:
		r.whole = true
		return nil
	default:
		return wrongKind(o, "--policy takes VendorPolicy and VendorWaiver objects")
	}
}

func wrongKind(o manifest.Object, want string) []*manifest.Error {
	return []*manifest.Error{o.Error("kind", fmt.Errorf("%s of %s, not %s", want, v1alpha1.GroupVersion, o.Kind().GroupVersion().WithKind(o.Kind().Kind)))}
}

// register notes where an object stands; each name may be given once.
func (r *rules) register(o manifest.Object, name string) []*manifest.Error {
	if name == "" {
		return []*manifest.Error{o.Error("metadata", errors.New("metadata.name: Required value"))}
	}
	key := o.Kind().Kind + "/" + name
	if first, taken := r.places[key]; taken {
		line, _ := first.Position("metadata.name")
		return []*manifest.Error{o.Error("metadata.name", fmt.Errorf("%s %q is given already at %s:%d", o.Kind().Kind, name, first.Document.File, line))}
	}
	if o.Kind() == vendorKind && slices.ContainsFunc(r.source.Vendors, func(v v1alpha1.RestrictedVendor) bool { return v.Name == name }) {
		return []*manifest.Error{o.Error("metadata.name", fmt.Errorf("RestrictedVendor %q is on the built-in list already: leave --list %s out, or give it another name", name, builtinList))}
	}
	r.places[key] = o
	return nil
}
