package main

import (
	"encoding/json"
	"go/version"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const repository = "../.."

// TestNoModuleNeedsANewerGoThanTheToolchainLine keeps CI and releases buildable: setup-go
// installs the version of go.mod's toolchain line and forbids Go to download another.
func TestNoModuleNeedsANewerGoThanTheToolchainLine(t *testing.T) {
	toolchain := toolchainLine(t)
	modules, err := filepath.Glob(filepath.Join(repository, "test", "tools", "*", "go.mod"))
	require.NoError(t, err)
	require.NotEmpty(t, modules)
	for _, path := range append(modules, filepath.Join(repository, "go.mod")) {
		module := readModule(t, path)
		assert.LessOrEqual(t, version.Compare("go"+module.Go, toolchain), 0, "%s: its go directive is %s, the toolchain is %s", path, module.Go, toolchain)
		if module.Toolchain != "" {
			assert.Equal(t, toolchain, module.Toolchain, path)
		}
	}
}

// TestThePlacesThatNameGoAgree holds the base image and the page on releases to the
// toolchain line: the same commit gives the same bytes only with the same Go.
func TestThePlacesThatNameGoAgree(t *testing.T) {
	toolchain := toolchainLine(t)
	for path, pattern := range map[string]string{
		"Dockerfile":             `ARG GO_IMAGE=golang:(\S+)`,
		"docs/releases.md":       `with Go (\d+\.\d+\.\d+)`,
		"docs/how-to/install.md": "`golang:([^`]+)`",
	} {
		text, err := os.ReadFile(filepath.Join(repository, path))
		require.NoError(t, err)
		named := regexp.MustCompile(pattern).FindStringSubmatch(string(text))
		require.NotNil(t, named, "%s names a version of Go", path)
		assert.Equal(t, toolchain, "go"+named[1], path)
	}
}

type module struct{ Go, Toolchain string }

func toolchainLine(t *testing.T) string {
	t.Helper()
	toolchain := readModule(t, filepath.Join(repository, "go.mod")).Toolchain
	require.True(t, version.IsValid(toolchain), "go.mod has a toolchain line: %q", toolchain)
	return toolchain
}

func readModule(t *testing.T, path string) module {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json", path).Output()
	require.NoError(t, err, path)
	var m module
	require.NoError(t, json.Unmarshal(output, &m))
	return m
}
