// Package helm runs the true Helm, of both majors that people use, for tests of the chart
// and for installations end to end.
package helm

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"embargo.dev/test/program"
)

// Majors are the majors of Helm that the chart is for.
var Majors = []int{3, 4}

// versions are those that the modules test/tools/helm3 and helm4 require.
var versions = map[int]string{3: "v3.22.0", 4: "v4.3.1"}

// Helm is a Helm program.
type Helm struct {
	Path    string
	Version string
}

// Locate returns the Helm of a major: built before, in the ignored folder .cache, or built
// now, which takes some minutes. Progress is told to somebody who waits.
func Locate(ctx context.Context, major int, progress io.Writer) (*Helm, error) {
	version, ok := versions[major]
	if !ok {
		return nil, fmt.Errorf("Helm %d is not among %v", major, Majors)
	}
	source := program.Source{
		Name: "helm", Module: fmt.Sprintf("helm%d", major), Package: fmt.Sprintf("helm.sh/helm/v%d/cmd/helm", major),
		LDFlags: fmt.Sprintf("-X helm.sh/helm/v%d/internal/version.version=%s", major, version),
	}
	path, err := source.Cached(ctx, version, progress)
	if err != nil {
		return nil, fmt.Errorf("getting Helm %s: %w", version, err)
	}
	return &Helm{Path: path, Version: version}, nil
}

// Run runs Helm with a home of its own in dir, and returns what it printed to its
// standard output. An error has what it printed besides.
func (h *Helm) Run(ctx context.Context, dir, kubeconfig string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, h.Path, args...)
	home := filepath.Join(dir, "helm")
	cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig,
		"HELM_CACHE_HOME="+filepath.Join(home, "cache"), "HELM_CONFIG_HOME="+filepath.Join(home, "config"), "HELM_DATA_HOME="+filepath.Join(home, "data"))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("helm %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String(), nil
}
