package controlplane

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/test/program"
)

// TestTheModuleOfAnotherReleaseIsMadeAsOursIs compares what is made for the release on
// record with what is on record: the same published modules in place of Kubernetes' own
// folders.
func TestTheModuleOfAnotherReleaseIsMadeAsOursIs(t *testing.T) {
	root, err := program.Root()
	require.NoError(t, err)
	dir := t.TempDir()
	made, err := otherModule(t.Context(), dir, KubernetesVersion)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), made, 0o600))
	assert.Subset(t, replacements(t, dir), replacements(t, filepath.Join(root, "test", "tools", "kubernetes")))
	assert.NotEmpty(t, replacements(t, dir))
}

// replacements returns the modules that a module replaces, with what by.
func replacements(t *testing.T, dir string) []string {
	t.Helper()
	var file struct {
		Replace []struct {
			Old, New struct{ Path, Version string }
		}
	}
	require.NoError(t, golangJSON(t.Context(), dir, &file, "mod", "edit", "-json"))
	var all []string
	for _, r := range file.Replace {
		all = append(all, r.Old.Path+" => "+r.New.Path+" "+r.New.Version)
	}
	return all
}

func TestARunNamesItsRelease(t *testing.T) {
	t.Setenv(releaseVariable, "")
	assert.Equal(t, KubernetesVersion, Release())
	t.Setenv(releaseVariable, "v1.30.14")
	assert.Equal(t, "v1.30.14", Release())
	assert.Equal(t, "-X k8s.io/component-base/version.gitVersion=v1.30.14 -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=30", stamp(Release()))
}
