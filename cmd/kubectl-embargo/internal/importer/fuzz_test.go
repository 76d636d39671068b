package importer_test

import (
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"embargo.dev/cmd/kubectl-embargo/internal/importer"
	"embargo.dev/policies/v1alpha1"
)

// fuzz reads texts that nobody thought of. Nothing panics; whatever is drafted can be
// written, and lacks only what no list tells.
func fuzz(f *testing.F, format string, samples ...string) {
	for _, name := range samples {
		f.Add(sample(f, name))
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := runWith(&result{Import: importer.Import{Unclear: true}}, format, text, importer.Side{})
		assert.Len(t, r.bad, r.Count.Bad)
		assert.LessOrEqual(t, r.Count.Drafts, r.Count.Selected)
		seen := map[string]bool{}
		for _, d := range r.drafts {
			require.False(t, seen[d.Name], "%s is there twice", d.Name)
			seen[d.Name] = true
			for _, name := range d.Entities {
				require.NotContains(t, name, "\n")
				for _, char := range name {
					require.False(t, unicode.IsControl(char), "%q", name)
				}
			}
			require.Regexp(t, "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", d.Name)
			require.NotEmpty(t, d.DisplayName)
			require.LessOrEqual(t, utf8.RuneCountInString(d.DisplayName), 100)
			require.NotEmpty(t, d.Restrictions)
			var v v1alpha1.RestrictedVendor
			require.NoError(t, yaml.UnmarshalStrict(yamlOf(t, d), &v))
			require.Equal(t, d.Entities, v.Spec.Entities)
			require.Len(t, v.Spec.Restrictions, len(d.Restrictions))
		}
	})
}

func FuzzConsolidatedCSV(f *testing.F)  { fuzz(f, "csl", "csl.csv") }
func FuzzConsolidatedJSON(f *testing.F) { fuzz(f, "csl", "csl.json") }
func FuzzOFACCSV(f *testing.F)          { fuzz(f, "ofac", "sdn.csv", "alt.csv") }
func FuzzOFACXML(f *testing.F)          { fuzz(f, "ofac", "sdn.xml") }
func FuzzOpenSanctions(f *testing.F)    { fuzz(f, "opensanctions", "targets.simple.csv") }
