package catalog_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/policies/catalog"
)

// versions has a line for every version of the list: the version, and the digest of its
// content.
const versions = "testdata/versions.txt"

// TestEveryChangeHasAVersion compares the content of the list with what its version had.
// Installations recognise a newer list by its version only.
func TestEveryChangeHasAVersion(t *testing.T) {
	text, err := os.ReadFile(versions)
	require.NoError(t, err)
	var version, digest string
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		require.Len(t, fields, 2, line)
		if version != "" {
			order, err := catalog.CompareVersions(version, fields[0])
			require.NoError(t, err)
			require.Negative(t, order, "%s comes after %s", fields[0], version)
		}
		version, digest = fields[0], fields[1]
	}
	assert.Equal(t, catalog.Version, version, "the last line of %s is the version of the list", versions)
	assert.Equal(t, digest, contentDigest(t),
		"the list's content changed: set catalog.Version to a later one, and append a line with it and this digest to %s", versions)
}

func contentDigest(t *testing.T) string {
	t.Helper()
	vendors, err := catalog.Vendors()
	require.NoError(t, err)
	content, err := json.Marshal(vendors)
	require.NoError(t, err)
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func TestCompareVersions(t *testing.T) {
	ascending := []string{"2025-12-31", "2026-11-28", "2026-11-28.1", "2026-11-28.2", "2026-11-28.10", "2026-11-29"}
	for i, a := range ascending {
		for j, b := range ascending {
			order, err := catalog.CompareVersions(a, b)
			require.NoError(t, err)
			assert.Equal(t, i < j, order < 0, "%s and %s", a, b)
			assert.Equal(t, i == j, order == 0, "%s and %s", a, b)
		}
	}
	for _, wrong := range []string{"", "v1", "2026-11-28.0", "2026-11-28.", "28.11.2026", " 2026-11-28"} {
		_, err := catalog.CompareVersions(wrong, catalog.Version)
		require.ErrorContains(t, err, "want a date", wrong)
		_, err = catalog.CompareVersions(catalog.Version, wrong)
		require.ErrorContains(t, err, "want a date", wrong)
	}
}
