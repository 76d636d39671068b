package policies

import (
	"maps"
	"slices"

	"embargo.dev/policies/imageref"
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
