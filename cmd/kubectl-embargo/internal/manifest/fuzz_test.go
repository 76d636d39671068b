package manifest_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"embargo.dev/cmd/kubectl-embargo/internal/manifest"
	"embargo.dev/policies/workload"
)

// FuzzDocuments checks that nothing panics, and that places lie within the text.
func FuzzDocuments(f *testing.F) {
	f.Add("apiVersion: v1\nkind: Pod\nspec: {containers: [{image: x}]}\n---\na: [\n")
	f.Add("--- {apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Pod}]}\n")
	f.Add("x: &a {image: y}\napiVersion: v1\nkind: Pod\nspec: {containers: [*a, {<<: *a}, {<<: [*a]}]}\n")
	f.Add(`{"kind":"Pod","apiVersion":"v1"}{"kind":"Pod","apiVersion":"v1","spec":{"containers":[{"image":"\ud800"}]}}`)
	f.Add("a: 1\n...\nb: 2\n")
	f.Add("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - &a {name: a, image: x}\n  - <<: *a\n    name: b\n%YAML 1.2\n---\na: 1")
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Count(text, "\n") + 1
		reader := &manifest.Reader{Stdin: strings.NewReader(text), Broken: func(e *manifest.Error) { require.NotEmpty(t, e.Error()) }}
		reader.Read(t.Context(), []string{"-"}, func(d *manifest.Document) {
			objects, others := d.Objects()
			require.GreaterOrEqual(t, others, 0)
			for _, o := range objects {
				for _, img := range workload.FromMap(o.Kind().GroupKind(), o.Fields).Images {
					line, column := o.Position(img.Field)
					require.LessOrEqual(t, line, lines)
					require.Positive(t, line)
					require.Positive(t, column)
				}
			}
		})
	})
}
