package policies

import (
	"cmp"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"embargo.dev/policies/imageref"
	"embargo.dev/policies/v1alpha1"
)

// Source is the objects that a rule set is compiled from, in any order.
type Source struct {
	Vendors  []v1alpha1.RestrictedVendor
	Policies []v1alpha1.VendorPolicy
	Waivers  []v1alpha1.VendorWaiver
}

// Problem is a part of an object that doesn't compile and is not in force.
type Problem struct {
	Kind string // RestrictedVendor, VendorPolicy or VendorWaiver
	Name string
	Err  *field.Error
}

// Error says which object is meant, which field, and what would be right.
func (p Problem) Error() string { return fmt.Sprintf("%s %q: %v", p.Kind, p.Name, p.Err) }

// Unwrap returns the field's error.
func (p Problem) Unwrap() error { return p.Err }

// Compile makes a rule set of the source. What compiles of it is in force,
// pattern by pattern and restriction by restriction; the problems name the rest.
func Compile(source Source) (*RuleSet, []Problem) {
	source = source.normalised()
	c := &compiler{set: &RuleSet{digests: map[string][]*vendor{}}}
	for i := range source.Vendors {
		c.vendor(&source.Vendors[i])
	}
	for i := range source.Policies {
		c.policy(&source.Policies[i])
	}
	for i := range source.Waivers {
		c.waiver(&source.Waivers[i])
	}
	c.set.declared = c.mirrors
	c.set.mirrors = imageref.NewMirrors(c.mirrors)
	c.set.index, c.set.patterns = imageref.NewIndex(c.patterns), c.patterns
	c.set.digest = source.digest()
	return c.set, c.problems
}

// compiler gathers a rule set, and what is wrong, from the objects one by one.
type compiler struct {
	set      *RuleSet
	patterns []imageref.Pattern // of the index; set.roles has their meanings
	mirrors  []imageref.Mirror
	problems []Problem
}

func (c *compiler) report(kind, name string, errs field.ErrorList) {
	for _, err := range errs {
		c.problems = append(c.problems, Problem{Kind: kind, Name: name, Err: err})
	}
}

func (c *compiler) add(p imageref.Pattern, r role) {
	r.pattern = p.String()
	c.patterns = append(c.patterns, p)
	c.set.roles = append(c.set.roles, r)
	switch r.kind {
	case recognises:
		c.set.recognising = append(c.set.recognising, p)
	case waives:
		r.waiver.images = append(r.waiver.images, p)
	default:
	}
}

// parsePatterns reads a list of patterns given as plain strings.
func (c *compiler) parsePatterns(path *field.Path, texts []string, r role) field.ErrorList {
	var errs field.ErrorList
	for i, text := range texts {
		p, err := imageref.ParsePattern(text)
		if err != nil {
			errs = append(errs, field.Invalid(path.Index(i), text, err.Error()))
			continue
		}
		c.add(p, r)
	}
	return errs
}

// normalised returns the source sorted by name, with defaults filled in, so
// that an object read from a file and the same object read from a cluster
// compile, and hash, to the same thing.
func (s Source) normalised() Source {
	n := Source{
		Vendors:  make([]v1alpha1.RestrictedVendor, 0, len(s.Vendors)),
		Policies: make([]v1alpha1.VendorPolicy, 0, len(s.Policies)),
		Waivers:  make([]v1alpha1.VendorWaiver, 0, len(s.Waivers)),
	}
	for i := range s.Vendors {
		v := s.Vendors[i].DeepCopy()
		for j := range v.Spec.Images.Repositories {
			r := &v.Spec.Images.Repositories[j]
			r.Confidence = cmp.Or(r.Confidence, v1alpha1.ConfidenceConfirmed)
		}
		n.Vendors = append(n.Vendors, *v)
	}
	for i := range s.Policies {
		p := s.Policies[i].DeepCopy()
		p.Spec.Enforcement = cmp.Or(p.Spec.Enforcement, v1alpha1.ActionDeny)
		n.Policies = append(n.Policies, *p)
	}
	for i := range s.Waivers {
		n.Waivers = append(n.Waivers, *s.Waivers[i].DeepCopy())
	}
	slices.SortFunc(n.Vendors, func(a, b v1alpha1.RestrictedVendor) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(n.Policies, func(a, b v1alpha1.VendorPolicy) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(n.Waivers, func(a, b v1alpha1.VendorWaiver) int { return cmp.Compare(a.Name, b.Name) })
	return n
}
