package policies

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"embargo.dev/policies/imageref"
	"embargo.dev/policies/workload"
)

// Recognisers is everything by which an image can come to be found a vendor's,
// whatever the date, the namespace and the policy.
type Recognisers struct {
	Patterns []imageref.Pattern // without exclusions
	Digests  []string
	Mirrors  []imageref.Mirror // the declared and the built-in ones
}

// Recognisers returns what the rule set recognises images by.
func (rs *RuleSet) Recognisers() Recognisers {
	return Recognisers{
		Patterns: slices.Clone(rs.recognising),
		Digests:  slices.Sorted(maps.Keys(rs.digests)),
		Mirrors:  slices.Concat(imageref.BuiltinMirrors(), rs.declared),
	}
}

// Suspects reports whether a decision on an object of the kind could have a finding,
// whatever the date, the namespace, the policy and the use: some image may be a
// vendor's, or can't be read. It lets a caller with many objects forget the others.
func (rs *RuleSet) Suspects(kind schema.GroupKind, images []workload.Image) bool {
	return slices.ContainsFunc(images, func(field workload.Image) bool {
		img := readImage(field, !workload.Builtin(kind))
		return img.problem != "" || len(rs.recognise(img.reference).vendors) > 0
	})
}

// VendorsOf returns the display names of the vendors whose image the text may be,
// whatever the policies and the restrictions; none where it can't be read.
func (rs *RuleSet) VendorsOf(text string) []string {
	img := readImage(workload.Image{Value: text}, true)
	if img.problem != "" {
		return nil
	}
	rec := rs.recognise(img.reference)
	var names []string
	for _, v := range rec.vendors {
		if _, ok := rec.evidenceOf(v, nil); ok {
			names = append(names, v.displayName)
		}
	}
	return names
}
