package imageref_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"embargo.dev/policies/imageref"
)

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		pattern, image string
		distance       int
		near           bool
	}{
		{"docker.io/kaspersky/scanengine_*", "kaspersky/scanengine_httpd", 0, true},
		{"repo.kcs.kaspersky.com/**", "repo.kcs.kasperski.com/images/scanner", 1, true},
		{"repo.kcs.kaspersky.com/**", "repo.kcs.kapsersky.com/images/scanner", 1, true},
		{"**/kaspersky/**", "ghcr.io/kasperksy/x", 1, true},
		{"**/kaspersky/**", "ghcr.io/kasper/x", 4, false},
		{"**/zte/**", "ghcr.io/zta/x", 4, false}, // short words differ by more than a slip
		{"docker.io/saferwall/gokaspersky", "ghcr.io/saferwall/gokaspersky", 3, true},
		{"docker.io/kaspersky/scanengine_*", "quay.io/kaspersky/scanengine_icapd", 3, true},
		{"docker.io/saferwall/gokaspersky", "ghcr.io/saferwall/gokasperski", 4, false}, // another host and a slip
		{"repo.kcs.kaspersky.com/**", "ghcr.io/acme/app", 4, false},
		{"gcr.io/**", "ghcr.io/acme/app", 4, false},
		{"docker.io/acme-agent", "ghcr.io/library/acme-agent", 4, false}, // one word isn't telling
		{"acme/agent:1.*", "acme/agent:2.0", 1, true},
		{"acme/agent@" + digestA, "acme/agent:2.0", 1, true},
		{"registry.example.com:5000/acme/agent", "registry.example.com:5001/acme/agent", 3, true},
	} {
		p, err := imageref.ParsePattern(c.pattern)
		require.NoError(t, err)
		r, err := imageref.Parse(c.image)
		require.NoError(t, err)
		distance, near := p.Distance(r)
		assert.Equal(t, c.near, near, "%s and %s: %d", c.pattern, c.image, distance)
		if c.near {
			assert.Equal(t, c.distance, distance, "%s and %s", c.pattern, c.image)
		}
	}
}

// TestDistanceIsZeroWhereThePatternMatches ties the advice to the rule.
func TestDistanceIsZeroWhereThePatternMatches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := imageref.ParsePattern(patternTexts().Draw(t, "pattern"))
		r, unread := imageref.Parse(referenceTexts().Draw(t, "image"))
		if err != nil || unread != nil {
			return
		}
		distance, near := p.Distance(r)
		assert.Equal(t, p.Match(r), near && distance == 0, "%s and %s", p, r)
	})
}

func TestStepsSayWhichMirrorWasUndone(t *testing.T) {
	declared, err := imageref.ParseMirror("harbor.example.com/hub", "mirror.gcr.io")
	require.NoError(t, err)
	r, err := imageref.Parse("m.daocloud.io/harbor.example.com/hub/acme/app:1")
	require.NoError(t, err)
	steps := imageref.NewMirrors([]imageref.Mirror{declared}).Steps(r)
	var told []string
	for _, s := range steps {
		told = append(told, s.Mirror.Prefix()+" → "+s.Mirror.Upstream()+": "+s.To.String())
	}
	assert.Equal(t, []string{
		"m.daocloud.io/harbor.example.com → harbor.example.com: harbor.example.com/hub/acme/app:1",
		"harbor.example.com/hub → mirror.gcr.io: mirror.gcr.io/acme/app:1",
		"mirror.gcr.io → docker.io: docker.io/acme/app:1",
	}, told)
	assert.Equal(t, r, steps[0].From)
}
