package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

var made = time.Date(2024, 9, 29, 4, 0, 0, 0, time.UTC)

func TestAnArchiveHasTheSameBytesWhenever(t *testing.T) {
	write := func() (tarred, zipped []byte) {
		dir := t.TempDir()
		binary := filepath.Join(dir, program)
		require.NoError(t, os.WriteFile(binary, []byte("a program"), 0o700))
		touched := time.Now().Add(-time.Duration(len(dir)) * time.Hour)
		require.NoError(t, os.Chtimes(binary, touched, touched))
		var a, b bytes.Buffer
		require.NoError(t, writeTar(&a, []file{{binary, 0o755}}, made))
		require.NoError(t, writeZip(&b, []file{{binary, 0o755}}, made))
		return a.Bytes(), b.Bytes()
	}
	tarred, zipped := write()
	again, zippedAgain := write()
	assert.Equal(t, tarred, again)
	assert.Equal(t, zipped, zippedAgain)
	unzipped, err := gzip.NewReader(bytes.NewReader(tarred))
	require.NoError(t, err)
	header, err := tar.NewReader(unzipped).Next()
	require.NoError(t, err)
	assert.Equal(t, program, header.Name)
	assert.EqualValues(t, 0o755, header.Mode)
}

func TestChecksumsAreInTheFormOfSha256sum(t *testing.T) {
	dir := t.TempDir()
	archive := filepath.Join(dir, "a.tar.gz")
	require.NoError(t, os.WriteFile(archive, []byte("content"), 0o600))
	require.NoError(t, writeChecksums(filepath.Join(dir, "checksums.txt"), []string{archive}))
	cmd := exec.CommandContext(t.Context(), "sha256sum", "-c", "checksums.txt")
	cmd.Dir = dir
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, string(output))
}

// TestTheKrewTemplateNamesTheArchives renders the template as krew's release bot does.
func TestTheKrewTemplateNamesTheArchives(t *testing.T) {
	text, err := os.ReadFile("../../.krew.yaml")
	require.NoError(t, err)
	tag := struct{ TagName string }{"v1.2.3"}
	uri := func(address, version string) string {
		return "uri: " + strings.ReplaceAll(address, "{{ .TagName }}", version) + "\n    sha256: " + strings.Repeat("0", 64)
	}
	rendered, err := template.New("krew").Funcs(template.FuncMap{"addURIAndSha": uri}).Parse(string(text))
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, rendered.Execute(&out, tag))
	var plugin struct {
		Metadata struct{ Name string }
		Spec     struct {
			Version, ShortDescription string
			Platforms                 []struct {
				URI, SHA256, Bin string
				Selector         struct{ MatchLabels map[string]string }
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(out.Bytes(), &plugin))
	assert.Equal(t, "embargo", plugin.Metadata.Name)
	assert.LessOrEqual(t, len(plugin.Spec.ShortDescription), 50, "krew's limit")
	require.Len(t, plugin.Spec.Platforms, len(platforms))
	for i, p := range platforms {
		got := plugin.Spec.Platforms[i]
		assert.Equal(t, map[string]string{"os": p.os, "arch": p.arch}, got.Selector.MatchLabels)
		// Where gh release create puts files.
		assert.Equal(t, "https://github.com/OWNER/REPOSITORY/releases/download/v1.2.3/"+archiveName("v1.2.3", p), got.URI)
		assert.Equal(t, binaryName(p), got.Bin)
	}
}
