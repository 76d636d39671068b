package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDockerIsGivenWhatTheControllerIsBuiltFrom holds the first stage, which nothing here
// runs, to the packages that the controller imports.
func TestDockerIsGivenWhatTheControllerIsBuiltFrom(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	given := copied(t, filepath.Join(root, "Dockerfile"))
	for _, file := range []string{"go.mod", "go.sum"} {
		assert.Contains(t, given, file)
	}
	ignored, err := os.ReadFile(filepath.Join(root, ".dockerignore"))
	require.NoError(t, err)
	for _, name := range strings.Fields(string(ignored)) {
		assert.NotContains(t, given, name, "it is kept from the build")
	}
	for _, name := range given {
		_, err := os.Stat(filepath.Join(root, name))
		require.NoError(t, err, "there is something to copy")
	}
	for _, dir := range packages(t, root) {
		top, _, _ := strings.Cut(dir, "/")
		assert.Contains(t, given, top, "it is needed for %s", dir)
	}
}

// copied returns what the stages before the last copy from the source.
func copied(t *testing.T, path string) []string {
	t.Helper()
	dockerfile, err := os.Open(path)
	require.NoError(t, err)
	defer dockerfile.Close() //nolint:errcheck // read only
	parsed, err := parser.Parse(dockerfile)
	require.NoError(t, err)
	stages, _, err := instructions.Parse(parsed.AST, nil)
	require.NoError(t, err)
	var sources []string
	for _, stage := range stages[:len(stages)-1] {
		for _, command := range stage.Commands {
			if c, ok := command.(*instructions.CopyCommand); ok && c.From == "" {
				sources = append(sources, c.SourcePaths...)
			}
		}
	}
	return sources
}

// packages returns the folders of our packages that the controller is built from.
func packages(t *testing.T, root string) []string {
	t.Helper()
	const module = "embargo.dev/"
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "./cmd/embargo")
	cmd.Dir = root
	output, err := cmd.Output()
	require.NoError(t, err)
	var dirs []string
	for name := range strings.FieldsSeq(string(output)) {
		if dir, ours := strings.CutPrefix(name, module); ours {
			dirs = append(dirs, dir)
		}
	}
	require.Contains(t, dirs, "cmd/embargo")
	return dirs
}
