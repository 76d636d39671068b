package imageref_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"embargo.dev/policies/imageref"
)

func parsePattern(t *testing.T, text string) imageref.Pattern {
	t.Helper()
	p, err := imageref.ParsePattern(text)
	require.NoError(t, err)
	return p
}

func TestPatternMatches(t *testing.T) {
	for pattern, images := range map[string]struct{ yes, no []string }{
		"nginx":                            {yes: []string{"nginx", "docker.io/library/nginx:1", "index.docker.io/nginx"}, no: []string{"acme/nginx", "ghcr.io/nginx", "nginx-x"}},
		"nginx*":                           {yes: []string{"nginx", "nginx-x"}, no: []string{"acme/nginx"}},
		"acme/**":                          {yes: []string{"acme/x", "acme/x/y", "docker.io/acme/x"}, no: []string{"acme", "acme-fan/x", "ghcr.io/acme/x"}},
		"docker.io/acme/**":                {yes: []string{"acme/x"}, no: []string{"docker.io/acme-fan/x", "docker.io.evil.example/acme/x"}},
		"registry-1.docker.io/acme/x":      {yes: []string{"acme/x"}},
		"docker.io/**":                     {yes: []string{"nginx", "acme/x"}, no: []string{"ghcr.io/x"}},
		"repo.kcs.kaspersky.com/**":        {yes: []string{"repo.kcs.kaspersky.com/images/scanner:v2", "REPO.kcs.kaspersky.com/a", "repo.kcs.kaspersky.com:8443/a"}, no: []string{"repo.kcs.kaspersky.com.evil.example/a", "x.repo.kcs.kaspersky.com/a"}},
		"*.kaspersky.com/**":               {yes: []string{"repo.kcs.kaspersky.com/a", "x.kaspersky.com/a"}, no: []string{"kaspersky.com/a", "notkaspersky.com/a"}},
		"ghcr.*/a":                         {yes: []string{"ghcr.io/a"}, no: []string{"ghcr.io.evil.example/a"}},
		"swr.*.example.com/x/*":            {yes: []string{"swr.eu-1.example.com/x/y"}, no: []string{"swr.a.b.example.com/x/y", "swr.eu.example.com/x/y/z"}},
		"**/kaspersky/**":                  {yes: []string{"kaspersky/x", "ghcr.io/a/kaspersky/b", "quay.io/kaspersky/x/y", "ghcr.io/kaspersky", "kaspersky"}, no: []string{"ghcr.io/kasperskylab/x"}},
		"**/scanengine_httpd":              {yes: []string{"scanengine_httpd", "ghcr.io/a/b/scanengine_httpd:1"}, no: []string{"ghcr.io/scanengine_httpd/x"}},
		"docker.io/kaspersky/scanengine_*": {yes: []string{"kaspersky/scanengine_httpd"}, no: []string{"kaspersky/scanengine", "kaspersky/x/scanengine_httpd"}},
		"ghcr.io/a/**/z":                   {yes: []string{"ghcr.io/a/z", "ghcr.io/a/b/c/z"}, no: []string{"ghcr.io/a/z/b"}},
		"ghcr.io/a:1.*":                    {yes: []string{"ghcr.io/a:1.2", "ghcr.io/a:1.2@" + digestA}, no: []string{"ghcr.io/a:2", "ghcr.io/a", "ghcr.io/a@" + digestA}},
		"ghcr.io/a@" + digestA:             {yes: []string{"ghcr.io/a@" + digestA, "ghcr.io/a:7@" + digestA}, no: []string{"ghcr.io/a", "ghcr.io/b@" + digestA}},
		"ghcr.io:5000/a":                   {yes: []string{"ghcr.io:5000/a"}, no: []string{"ghcr.io/a", "ghcr.io:5001/a"}},
		"ghcr.io/a":                        {yes: []string{"ghcr.io/a", "ghcr.io:5000/a", "ghcr.io:443/a"}},
		"ghcr.io:0443/a":                   {yes: []string{"ghcr.io/a", "ghcr.io:5000/a"}},
		"ghcr.io:05000/a":                  {yes: []string{"ghcr.io:5000/a"}, no: []string{"ghcr.io/a"}},
		"docker.io:5000/acme/x":            {yes: []string{"docker.io:5000/acme/x"}, no: []string{"acme/x"}},
		"index.docker.io/nginx":            {yes: []string{"nginx", "docker.io:5000/nginx"}, no: []string{"docker.io/acme/nginx"}},
		"docker.*/nginx":                   {yes: []string{"nginx", "docker.example/nginx"}, no: []string{"docker.example/library/nginx", "acme/nginx"}},
		"*:5000/acme/**":                   {yes: []string{"localhost:5000/acme/x"}, no: []string{"acme/x", "localhost:5001/acme/x", "a.io:5000/acme/x"}},
		"**@" + digestA:                    {yes: []string{"nginx@" + digestA, "ghcr.io/a/b:1@" + digestA}, no: []string{"nginx"}},
		"*.docker.io/acme/x":               {yes: []string{"acme/x"}},
	} {
		p := parsePattern(t, pattern)
		index := imageref.NewIndex([]imageref.Pattern{p})
		check := func(image string, want bool) {
			r, err := imageref.Parse(image)
			require.NoError(t, err, image)
			assert.Equal(t, want, p.Match(r), "%s matches %s", pattern, image)
			assert.Equal(t, want, len(indexed(index, r)) == 1, "index: %s matches %s", pattern, image)
		}
		for _, image := range images.yes {
			check(image, true)
		}
		for _, image := range images.no {
			check(image, false)
		}
	}
}

func TestParsePatternRefuses(t *testing.T) {
	for pattern, why := range map[string]string{
		"":                           "empty",
		"*/*":                        "no literal",
		"**":                         "no literal",
		"**/*":                       "no literal",
		"*.*/**":                     "no literal",
		"**:latest":                  "no literal",
		"https://ghcr.io/a":          "scheme",
		"ghcr.io/a b":                "white space",
		"ghcr.io//a":                 "empty segment",
		"ghcr.io/a/":                 "/**",
		"ghcr.io/a**":                "whole segment",
		"ghcr**.io/a":                "begin the host with *.",
		"ghcr.io/Acme":               "lower case",
		"Acme/x":                     "lower case",
		"ghcr.io/a@sha256:*":         "whole digest",
		"ghcr.io/a:":                 "tag",
		"ghcr.io/a:b:c":              "tag",
		"ghcr.io/**/a/**/**/**/**/b": "more than",
		"gh_*:x/a":                   "host",
		strings.Repeat("a", 600):     "longer",
	} {
		_, err := imageref.ParsePattern(pattern)
		require.Error(t, err, pattern)
		assert.Contains(t, err.Error(), why, pattern)
	}
}

func indexed(x *imageref.Index, r imageref.Reference) []int {
	var positions []int
	x.Match(r, func(i int) { positions = append(positions, i) })
	return positions
}

// patternTexts and referenceTexts share a small alphabet, so that they often meet.
func patternTexts() *rapid.Generator[string] {
	host := rapid.SampledFrom([]string{"", "", "**/", "docker.io/", "a.io/", "*.io/", "*.a.io/", "a.*/", "a.io:5/", "*.a.io:5/", "b*.a.io/", "index.docker.io/", "*.docker.io/", "docker.*/", "docker.io:5/", "a.io:05/"})
	segment := rapid.SampledFrom([]string{"a", "b", "ab", "library", "**", "**", "*", "a*", "*a", "*b*", "a*b", "*aba*"})
	suffix := rapid.SampledFrom([]string{"", "", "", ":1", ":1*", ":*2", "@" + digestA, ":1@" + digestA})
	return rapid.Custom(func(t *rapid.T) string {
		segments := rapid.SliceOfN(segment, 1, 4).Draw(t, "segments")
		return host.Draw(t, "host") + strings.Join(segments, "/") + suffix.Draw(t, "suffix")
	})
}

var (
	versions     = []string{"", ":1", ":12", ":2", "@" + digestA, ":1@" + digestA}
	openVersions = []string{":$(t)", ":1$(t)", ":$(t)@" + digestA, "@$(d)", ":1@$(d)", ":$(t)@$(d)"}
)

// parse reads an image whose tag or digest may have parameters.
func parse(t require.TestingT, image string) imageref.Reference {
	if r, ok := imageref.ParseParametric(image); ok {
		return r
	}
	r, err := imageref.Parse(image)
	require.NoError(t, err)
	return r
}

func referenceTexts() *rapid.Generator[string] {
	host := rapid.SampledFrom([]string{"", "a.io/", "b.a.io/", "c.b.a.io/", "a.io:5/", "bb.a.io:5/", "docker.io:5/", "index.docker.io:5/", "a.io:05/", "ghcr.io/"})
	segment := rapid.SampledFrom([]string{"a", "b", "ab", "aab", "ababa", "library", "xaba"})
	suffix := rapid.SampledFrom(versions)
	return rapid.Custom(func(t *rapid.T) string {
		segments := rapid.SliceOfN(segment, 1, 5).Draw(t, "segments")
		return host.Draw(t, "host") + strings.Join(segments, "/") + suffix.Draw(t, "suffix")
	})
}

func TestIndexAgreesWithTheNaiveMatcher(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var patterns []imageref.Pattern
		for _, text := range rapid.SliceOfN(patternTexts(), 1, 30).Draw(t, "patterns") {
			if p, err := imageref.ParsePattern(text); err == nil {
				patterns = append(patterns, p)
			}
		}
		index := imageref.NewIndex(patterns)
		for _, image := range rapid.SliceOfN(referenceTexts(), 1, 10).Draw(t, "images") {
			if rapid.IntRange(0, 3).Draw(t, "open") == 0 {
				image = parse(t, image).Repository() + rapid.SampledFrom(openVersions).Draw(t, "version")
			}
			r := parse(t, image)
			var want []int
			for i, p := range patterns {
				if p.Match(r) {
					want = append(want, i)
				}
			}
			require.ElementsMatch(t, want, indexed(index, r), "%s", image)
		}
	})
}

func FuzzPattern(f *testing.F) {
	f.Add("**/kaspersky/**", "ghcr.io/a/kaspersky/b")
	f.Add("ghcr.*/a*b:1*", "ghcr.io/axb:12")
	f.Add("a:1*@"+digestA, "a:$(t)@$(d)")
	f.Add("*.a.io:5/**/b@"+digestA, "x.a.io:5/c/b@"+digestA)
	f.Fuzz(func(t *testing.T, pattern, image string) {
		p, err := imageref.ParsePattern(pattern)
		if err != nil {
			return
		}
		r, ok := imageref.ParseParametric(image)
		if !ok {
			if r, err = imageref.Parse(image); err != nil {
				return
			}
		}
		require.Equal(t, p.Match(r), len(indexed(imageref.NewIndex([]imageref.Pattern{p}), r)) == 1)
	})
}
