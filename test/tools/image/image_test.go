package main

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheImageIsWhatTheDockerfileSays(t *testing.T) {
	dockerfile, err := os.Open("../../../Dockerfile")
	require.NoError(t, err)
	last, err := readStage(dockerfile, map[string]string{"VERSION": "1.2.3", "REVISION": "abc", "CREATED": "2026-01-02T03:04:05Z"})
	require.NoError(t, err)
	image, err := assemble(last, "arm64", local(t), time.Unix(0, 0))
	require.NoError(t, err)
	config, err := image.ConfigFile()
	require.NoError(t, err)
	assert.Equal(t, "arm64", config.Architecture)
	assert.Equal(t, "65532:65532", config.Config.User)
	assert.Equal(t, []string{"/embargo"}, config.Config.Entrypoint)
	for label, want := range map[string]string{
		"version": "1.2.3", "revision": "abc", "created": "2026-01-02T03:04:05Z", "licenses": "Apache-2.0", "title": "embargo",
	} {
		assert.Equal(t, want, config.Config.Labels["org.opencontainers.image."+label], label)
	}
	assert.Equal(t, []string{"embargo"}, filesIn(t, image), "nothing of the machine that builds")
}

// filesIn returns the names of all files in an image.
func filesIn(t *testing.T, image v1.Image) []string {
	t.Helper()
	content := mutate.Extract(image)
	defer content.Close() //nolint:errcheck // read only
	var names []string
	for archive := tar.NewReader(content); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return names
		}
		require.NoError(t, err)
		names = append(names, header.Name)
	}
}

func local(t *testing.T) map[string]string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	require.NoError(t, os.WriteFile(program, []byte("a program"), 0o600))
	return map[string]string{"/embargo": program}
}

func TestTheSameFilesGiveTheSameImage(t *testing.T) {
	digest := func(created time.Time) string {
		dockerfile, err := os.Open("../../../Dockerfile")
		require.NoError(t, err)
		last, err := readStage(dockerfile, nil)
		require.NoError(t, err)
		image, err := assemble(last, "amd64", local(t), created)
		require.NoError(t, err)
		d, err := image.Digest()
		require.NoError(t, err)
		return d.String()
	}
	once, again := digest(time.Unix(1, 0)), digest(time.Unix(1, 0))
	assert.Equal(t, once, again)
	assert.NotEqual(t, once, digest(time.Unix(2, 0)), "of another time")
}

func TestWhatTheImageCantFollowIsAnError(t *testing.T) {
	for last, says := range map[string]string{
		"FROM debian\nUSER 1\n":              "FROM debian, want scratch",
		"FROM scratch\nENV A=b\n":            "ENV is not known here",
		"FROM scratch\nCOPY a /a\n":          "want one file of the stage before",
		"FROM scratch\nLABEL a=$VERSION\n":   "want its value in quotes",
		"FROM scratch\nRUN go build ./...\n": "RUN is not known here",
	} {
		_, err := readStage(strings.NewReader(last), nil)
		require.ErrorContains(t, err, says)
	}
}
