package importer_test

import (
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/cmd/kubectl-embargo/internal/importer"
	"embargo.dev/cmd/kubectl-embargo/internal/lint"
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
			for _, p := range problems(t, yamlOf(t, d)) {
				if p.Severity == lint.Error {
					require.Regexp(t, missing, p.Message)
				}
			}
		}
	})
}

func FuzzConsolidatedCSV(f *testing.F)  { fuzz(f, "csl", "csl.csv") }
func FuzzConsolidatedJSON(f *testing.F) { fuzz(f, "csl", "csl.json") }
func FuzzOFACCSV(f *testing.F)          { fuzz(f, "ofac", "sdn.csv", "alt.csv") }
func FuzzOFACXML(f *testing.F)          { fuzz(f, "ofac", "sdn.xml") }
func FuzzOpenSanctions(f *testing.F)    { fuzz(f, "opensanctions", "targets.simple.csv") }
