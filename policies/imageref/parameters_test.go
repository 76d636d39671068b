package imageref_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"embargo.dev/policies/imageref"
)

func TestParametersInTagOrDigest(t *testing.T) {
	for image, want := range map[string]string{
		"acme/agent:$(params.version)":             "docker.io/acme/agent:$(params.version)",
		"acme/agent:{{inputs.parameters.tag}}":     "docker.io/acme/agent:{{inputs.parameters.tag}}",
		"acme/agent:{{ .Values.tag | default 1 }}": "docker.io/acme/agent:{{ .Values.tag | default 1 }}",
		"agent:${TAG:=2.1}":                        "docker.io/library/agent:${TAG:=2.1}",
		"agent:${TAG:-${VERSION}}":                 "docker.io/library/agent:${TAG:-${VERSION}}",
		"agent:${{ github.sha }}":                  "docker.io/library/agent:${{ github.sha }}",
		"quay.io:443/acme/agent:v$(major).$(m)-x":  "quay.io/acme/agent:v$(major).$(m)-x",
		"agent:$(registry.io/a:b@c)":               "docker.io/library/agent:$(registry.io/a:b@c)",
		"agent@$(params.digest)":                   "docker.io/library/agent@$(params.digest)",
		"agent@sha256:${DIGEST}":                   "docker.io/library/agent@sha256:${DIGEST}",
		"agent:1@sha256:ab$(rest)":                 "docker.io/library/agent:1@sha256:ab$(rest)",
		"agent:$(tag)@$(digest)":                   "docker.io/library/agent:$(tag)@$(digest)",
		"agent:$(tag)@" + digestA:                  "docker.io/library/agent:$(tag)@" + digestA,
	} {
		r, ok := imageref.ParseParametric(image)
		if assert.True(t, ok, image) {
			assert.Equal(t, want, r.String())
		}
		assert.True(t, imageref.HasParameters(image), image)
	}
}

func TestParametersElsewhere(t *testing.T) {
	for image, parameters := range map[string]bool{
		"$(params.image)": true, "$(registry)/agent:1": true, "acme/$(name):1": true, "acme/agent$(suffix)": true, "acme/agent-{{x}}:$(tag)": true,
		"quay.io:$(port)/acme/agent": true, "quay.io:$(port)/acme/agent:$(tag)": true, "${IMAGE}": true, "${REGISTRY}/agent:${TAG}": true,
		// whatever they come to be, these are no images
		"agent: $(tag)": true, "agent:$(tag)/x": true, "agent:-$(tag)": true, "agent:@$(digest)": true, "agent:1@sha256:AB$(x)": true, "Agent:$(tag)": true,
		"agent:$(tag)@sha256:ab": true, "agent:+@$(digest)": true, "agent:" + strings.Repeat("t", 129) + "@$(digest)": true, "agent:$(a) $(b)": true,
		// not closed, or none
		"agent:$(tag": false, "agent:{{tag}": false, "agent:${tag": false, "agent:$tag": false, "agent:{tag}": false, "agent:1": false, "agent": false, "": false,
	} {
		_, ok := imageref.ParseParametric(image)
		assert.False(t, ok, image)
		assert.Equal(t, parameters, imageref.HasParameters(image), image)
	}
}

// open replaces what stands after a repository by parameters.
func open(repository string, tag, digest bool) string {
	text := repository
	if tag {
		text += ":$(tag)"
	}
	if digest {
		text += "@$(digest)"
	}
	return text
}

// TestWhatIsLeftOpenMayMatch fills in the parameters of a reference: what matches then may
// match before, and what matches for certain before does then.
func TestWhatIsLeftOpenMayMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := imageref.ParsePattern(patternTexts().Draw(t, "pattern"))
		if err != nil {
			return
		}
		filled, err := imageref.Parse(referenceTexts().Draw(t, "image"))
		require.NoError(t, err)
		left, ok := imageref.ParseParametric(open(filled.Repository(), filled.Tag != "", filled.Digest != ""))
		require.True(t, ok)
		require.Equal(t, filled.Repository(), left.Repository())
		switch {
		case p.MayDiffer(left):
			require.True(t, p.Match(left) || !p.Match(filled), "%s is missed", filled)
		default:
			require.Equal(t, p.Match(filled), p.Match(left))
		}
	})
}

func FuzzParseParametric(f *testing.F) {
	for _, image := range []string{"a:$(b)", "a/b@${c}", "a:${{x}}", "{{a}}:$(b)", "a:$(${{}}", "a:1.{{b}}@sha256:$(c)"} {
		f.Add(image)
	}
	f.Fuzz(func(t *testing.T, image string) {
		r, ok := imageref.ParseParametric(image)
		if !ok {
			return
		}
		require.True(t, imageref.HasParameters(image))
		require.True(t, r.OpenTag || r.OpenDigest)
		_, err := imageref.Parse(image)
		require.Error(t, err, "it needs no parameters to be read")
		repository, err := imageref.Parse(r.Repository())
		require.NoError(t, err)
		require.Equal(t, repository.Repository(), r.Repository())
		require.True(t, strings.HasSuffix(image, strings.TrimPrefix(r.String(), r.Repository())), "the version stands as written")
	})
}
