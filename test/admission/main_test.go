// Package admission_test runs the true controller, two replicas of it, against a real
// API server with real controllers.
package admission_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"embargo.dev/test/testcluster"
)

// stage is shared by the tests of this package. Each keeps to a namespace and to vendors
// of its own.
var stage testcluster.Cluster

func TestMain(m *testing.M) {
	os.Exit(stage.Run(m, testcluster.Options{
		Replicas: 2,
		Flags:    []string{"--trusted-controllers=trusted-operator"},
		// A test's aggregated API is reached by the name that its Service has, since an
		// endpoint on this machine wouldn't be accepted.
		APIServerFlags: []string{"--enable-aggregator-routing=false"},
	}))
}

// kubectl runs the real kubectl and returns all that it prints.
func kubectl(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return stage.Kubectl(t, "", args...)
}

func kubectlWith(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	return stage.Kubectl(t, stdin, args...)
}

// must insists that a command succeeds.
func must(t *testing.T, args ...string) string {
	t.Helper()
	return stage.Must(t, args...)
}

// apply insists that a manifest is admitted.
func apply(t *testing.T, manifest string) string {
	t.Helper()
	return stage.Apply(t, manifest)
}

// namespace makes a namespace for a test.
func namespace(t *testing.T) string {
	t.Helper()
	return stage.Namespace(t)
}

// write writes a file for a test and returns its path.
func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}
