package imageref_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/policies/imageref"
)

// realisticPatterns are of the sorts that restricted lists have, a tenth of them
// with any host or a wildcard in it.
func realisticPatterns(tb testing.TB, n int) []imageref.Pattern {
	tb.Helper()
	patterns := make([]imageref.Pattern, 0, n)
	for i := range n {
		text := [...]string{
			"registry%d.example.com/**", "docker.io/vendor%d/**", "docker.io/vendor%d/product_*", "quay.io/vendor%d/agent", "ghcr.io/vendor%d/*/agent",
			"docker.io/acme/product%d_*", "vendor%d/**", "registry.example.com/vendor%d/**", "**/vendor%d/**", "*.vendor%d.example/**",
		}[i%10]
		p, err := imageref.ParsePattern(fmt.Sprintf(text, i))
		require.NoError(tb, err)
		patterns = append(patterns, p)
	}
	return patterns
}

var typicalImages = []string{
	"registry.k8s.io/ingress-nginx/controller:v1.9.4", "docker.io/library/nginx:1.25", "quay.io/prometheus/node-exporter:v1.6.1",
	"registry.example.com/team/service/backend:2024-06-20@" + digestA, "docker.io/acme/product12_x",
}

func typicalReferences(tb testing.TB) []imageref.Reference {
	tb.Helper()
	var references []imageref.Reference
	for _, image := range typicalImages {
		r, err := imageref.Parse(image)
		require.NoError(tb, err)
		references = append(references, r)
	}
	return references
}

func BenchmarkIndexMatch(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 10000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			index, references := imageref.NewIndex(realisticPatterns(b, n)), typicalReferences(b)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				index.Match(references[i%len(references)], func(int) {})
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for i := 0; b.Loop(); i++ {
		_, _ = imageref.Parse(typicalImages[i%len(typicalImages)])
	}
}

func TestAllocationsDoNotGrowWithPatterns(t *testing.T) {
	allocations := func(n int) float64 {
		index, references := imageref.NewIndex(realisticPatterns(t, n)), typicalReferences(t)
		return testing.AllocsPerRun(100, func() {
			for _, r := range references {
				index.Match(r, func(int) {})
			}
		})
	}
	assert.LessOrEqual(t, allocations(10000), allocations(10))
}
