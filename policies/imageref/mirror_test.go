package imageref_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/policies/imageref"
)

func mirrors(t *testing.T, pairs ...string) []imageref.Mirror {
	t.Helper()
	var list []imageref.Mirror
	for i := 0; i < len(pairs); i += 2 {
		m, err := imageref.ParseMirror(pairs[i], pairs[i+1])
		require.NoError(t, err)
		list = append(list, m)
	}
	return list
}

func TestUndo(t *testing.T) {
	m := imageref.NewMirrors(mirrors(t,
		"harbor.example.com/dockerhub", "docker.io",
		"harbor.example.com", "quay.io",
		"proxy.example.com/hub", "harbor.example.com/dockerhub",
		"far.example.com", "proxy.example.com/hub",
		"farther.example.com", "far.example.com",
		"two.example.com", "ghcr.io",
		"two.example.com", "quay.io",
	))
	for image, want := range map[string][]string{
		"nginx":                                  nil,
		"mirror.gcr.io/nginx":                    {"docker.io/library/nginx:latest"},
		"mirror.gcr.io:8443/library/nginx":       {"docker.io/library/nginx:latest"},
		"public.ecr.aws/docker/library/nginx:1":  {"docker.io/library/nginx:1"},
		"public.ecr.aws/docker/libraryx/nginx:1": nil,
		"docker.m.daocloud.io/kaspersky/x":       {"docker.io/kaspersky/x:latest"},
		"m.daocloud.io/docker.io/kaspersky/x":    {"docker.io/kaspersky/x:latest"},
		"m.daocloud.io/ghcr.io/a/b":              {"ghcr.io/a/b:latest"},
		"m.daocloud.io/nohost/a":                 nil,
		"harbor.example.com/dockerhub/a/b":       {"docker.io/a/b:latest"},
		"harbor.example.com/dockerhubs/a/b":      {"quay.io/dockerhubs/a/b:latest"},
		"proxy.example.com/hub/a":                {"harbor.example.com/dockerhub/a:latest", "docker.io/library/a:latest"},
		"far.example.com/a":                      {"proxy.example.com/hub/a:latest", "harbor.example.com/dockerhub/a:latest", "docker.io/library/a:latest"},
		"farther.example.com/a":                  {"far.example.com/a:latest", "proxy.example.com/hub/a:latest", "harbor.example.com/dockerhub/a:latest"},
		"two.example.com/a":                      {"ghcr.io/a:latest", "quay.io/a:latest"},
	} {
		r, err := imageref.Parse(image)
		require.NoError(t, err)
		var got []string
		for _, form := range m.Undo(r) {
			got = append(got, form.String())
		}
		assert.Equal(t, want, got, image)
	}
}

func TestUndoEndsInALoop(t *testing.T) {
	m := imageref.NewMirrors(mirrors(t, "a.example.com", "b.example.com", "b.example.com", "a.example.com"))
	r, err := imageref.Parse("a.example.com/x")
	require.NoError(t, err)
	assert.Len(t, m.Undo(r), 1)
}

func TestFindLoop(t *testing.T) {
	assert.Nil(t, imageref.FindLoop(mirrors(t, "a.example.com", "docker.io", "b.example.com", "a.example.com")))
	assert.Equal(t, []int{0, 2}, imageref.FindLoop(mirrors(t, "a.example.com", "b.example.com", "c.example.com", "docker.io", "b.example.com", "a.example.com")))
	assert.Equal(t, []int{0}, imageref.FindLoop(mirrors(t, "a.example.com", "a.example.com/x")), "it would grow for ever")
	assert.Equal(t, []int{0}, imageref.FindLoop(mirrors(t, "docker.io", "mirror.gcr.io")), "by way of a built-in mirror")
}

func TestParseMirrorRefuses(t *testing.T) {
	for _, bad := range [][2]string{{"", "docker.io"}, {"harbor", "docker.io"}, {"a.io/*", "docker.io"}, {"a.io/x:1", "docker.io"}, {"a.io", ""}, {"a.io", "A.IO:443"}, {"a..io", "docker.io"}} {
		_, err := imageref.ParseMirror(bad[0], bad[1])
		assert.Error(t, err, "%v", bad)
	}
}
