package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestThePageIsAsTheListIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	require.NoError(t, write("../vendors", path))
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	got, err := os.ReadFile("../../../docs/reference/restricted-list.md")
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "run make generate")
}

func TestSourcesAreTheCommentWithoutItsFirstParagraph(t *testing.T) {
	text := "# Acme: a company.\n#\n# Sources\n# - One, which\n#   goes on.\n#\n# Image names\n# - None.\nkind: x\n# no source\n"
	assert.Equal(t, "**Sources**\n\n- One, which\n  goes on.\n\n**Image names**\n\n- None.", sources(text))
}
