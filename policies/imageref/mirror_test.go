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
		"one.example.com/team/scanner", "repo.example.com/images/scanner",
		"one.example.com/team/nginx", "docker.io/nginx",
		"m.daocloud.io/ghcr.io/acme", "quay.io/acme",
		"port.example.com:5000", "quay.io",
		"port.example.com", "ghcr.io",
	))
	for image, want := range map[string][]string{
		"nginx":                                       nil,
		"mirror.gcr.io/nginx":                         {"docker.io/library/nginx:latest"},
		"mirror.gcr.io:8443/library/nginx":            {"docker.io/library/nginx:latest"},
		"public.ecr.aws/docker/library/nginx:1":       {"docker.io/library/nginx:1"},
		"public.ecr.aws/docker/libraryx/nginx:1":      nil,
		"docker.m.daocloud.io/kaspersky/x":            {"docker.io/kaspersky/x:latest"},
		"m.daocloud.io/docker.io/kaspersky/x":         {"docker.io/kaspersky/x:latest"},
		"m.daocloud.io/ghcr.io/a/b":                   {"ghcr.io/a/b:latest"},
		"m.daocloud.io/nohost/a":                      nil,
		"harbor.example.com/dockerhub/a/b":            {"docker.io/a/b:latest"},
		"harbor.example.com/dockerhubs/a/b":           {"quay.io/dockerhubs/a/b:latest"},
		"proxy.example.com/hub/a":                     {"harbor.example.com/dockerhub/a:latest", "docker.io/library/a:latest"},
		"far.example.com/a":                           {"proxy.example.com/hub/a:latest", "harbor.example.com/dockerhub/a:latest", "docker.io/library/a:latest"},
		"farther.example.com/a":                       {"far.example.com/a:latest", "proxy.example.com/hub/a:latest", "harbor.example.com/dockerhub/a:latest"},
		"one.example.com/team/scanner:1":              {"repo.example.com/images/scanner:1"}, // the copy of one repository
		"one.example.com/team/scanner/x":              {"repo.example.com/images/scanner/x:latest"},
		"one.example.com/team/scanners":               nil,
		"one.example.com/team/nginx":                  {"docker.io/library/nginx:latest"},
		"m.daocloud.io/ghcr.io/acme/x":                {"quay.io/acme/x:latest"}, // longer than m.daocloud.io/ghcr.io
		"m.daocloud.io/ghcr.io":                       nil,
		"m.daocloud.io:8443/registry-1.docker.io/a/b": {"docker.io/a/b:latest"},
		"port.example.com:5000/a":                     {"quay.io/a:latest", "ghcr.io/a:latest"},
		"port.example.com:5001/a":                     {"ghcr.io/a:latest"},
		"two.example.com/a":                           {"ghcr.io/a:latest", "quay.io/a:latest"},
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
	for _, c := range []struct {
		shows   string
		mirrors []string
		loop    []int
	}{
		{"a chain", []string{"a.example.com", "docker.io", "b.example.com", "a.example.com"}, nil},
		{"there and back", []string{"a.example.com", "b.example.com", "c.example.com", "docker.io", "b.example.com", "a.example.com"}, []int{0, 2}},
		{"it would grow for ever", []string{"a.example.com", "a.example.com/x"}, []int{0}},
		{"by way of a built-in mirror", []string{"docker.io", "mirror.gcr.io"}, []int{0}},
		{"by way of a longer prefix", []string{"docker.io", "public.ecr.aws/docker"}, []int{0}},
		{"of a part of what is mirrored", []string{"a.example.com", "b.example.com", "b.example.com/x", "a.example.com/x"}, []int{0, 1}},
		{"by way of m.daocloud.io", []string{"docker.io", "m.daocloud.io/docker.io"}, []int{0}},
		{"another part of the same registry", []string{"a.example.com/hub", "docker.io", "docker.io/acme", "a.example.com/acme"}, nil},
		{"a part that moves on", []string{"a.example.com", "docker.io", "docker.io/acme", "a.example.com/team/acme"}, nil},
		{"a part that ends", []string{"a.example.com/x", "b.example.com", "b.example.com/y", "a.example.com"}, nil},
		{"another port", []string{"a.example.com", "b.example.com", "b.example.com:5000", "a.example.com"}, nil},
		{"an upstream's port", []string{"a.example.com", "b.example.com:5000", "b.example.com", "a.example.com"}, []int{0, 1}},
	} {
		assert.Equal(t, c.loop, imageref.FindLoop(mirrors(t, c.mirrors...)), c.shows)
	}
}

func TestParseMirrorRefuses(t *testing.T) {
	for _, bad := range [][2]string{{"", "docker.io"}, {"harbor", "docker.io"}, {"a.io/*", "docker.io"}, {"a.io/x:1", "docker.io"}, {"a.io", ""}, {"a.io", "A.IO:443"}, {"a..io", "docker.io"}} {
		_, err := imageref.ParseMirror(bad[0], bad[1])
		assert.Error(t, err, "%v", bad)
	}
}
