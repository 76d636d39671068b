package chart_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"embargo.dev/test/controlplane"
	"embargo.dev/test/helm"
	"embargo.dev/test/installation"
	"embargo.dev/test/modules"
)

// stage has both majors of Helm, and an API server that knows Embargo's kinds and those
// that the chart's options need. Nothing runs on it: it checks what it is given.
var stage struct {
	helms map[int]*helm.Helm
	plane *controlplane.ControlPlane
	root  string
	dir   string
}

// The modules whose definitions of custom resources the chart's options use.
const (
	certManager        = "github.com/cert-manager/cert-manager@v1.21.2"
	prometheusOperator = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "embargo-chart-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	stage.dir = dir
	err = setUp(ctx)
	if stage.plane != nil {
		defer stage.plane.Stop() //nolint:errcheck // nothing to be done about it
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "setting up:", err)
		return 1
	}
	return m.Run()
}

func setUp(ctx context.Context) error {
	var err error
	if stage.root, err = installation.Root(ctx); err != nil {
		return err
	}
	stage.helms = map[int]*helm.Helm{}
	for _, major := range helm.Majors {
		if stage.helms[major], err = helm.Locate(ctx, major, os.Stderr); err != nil {
			return err
		}
	}
	if stage.plane, err = controlplane.Start(ctx, controlplane.Options{Progress: os.Stderr}); err != nil {
		return err
	}
	if err := installation.Prepare(ctx, stage.plane, stage.root); err != nil {
		return err
	}
	for module, pattern := range map[string]string{
		certManager:        filepath.Join("deploy", "crds", "*.yaml"),
		prometheusOperator: filepath.Join("example", "prometheus-operator-crd", "monitoring.coreos.com_*.yaml"),
	} {
		if err := define(ctx, module, pattern); err != nil {
			return err
		}
	}
	return nil
}

// define makes the kinds of a public project known to the API server.
func define(ctx context.Context, module, pattern string) error {
	dir, err := modules.Download(ctx, module)
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("%s has no %s: %w", module, pattern, err)
	}
	args := []string{"apply", "--server-side"}
	for _, file := range files {
		args = append(args, "-f", file)
	}
	if output, err := stage.plane.Kubectl(ctx, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl apply: %w\n%s", err, output)
	}
	output, err := stage.plane.Kubectl(ctx, "wait", "--for=condition=Established", "--timeout=30s", "crd", "--all").CombinedOutput()
	if err != nil {
		return fmt.Errorf("kubectl wait: %w\n%s", err, output)
	}
	return nil
}

// template renders the chart with values, as YAML.
func template(t *testing.T, major int, values string, args ...string) (string, error) {
	t.Helper()
	file := filepath.Join(stage.dir, "values.yaml") // Helm splits names of files at commas
	require.NoError(t, os.WriteFile(file, []byte(values), 0o600))
	args = append([]string{"template", "embargo", filepath.Join(stage.root, "charts", "embargo"), "--namespace=embargo-system", "--kube-version=" + controlplane.KubernetesVersion, "--values=" + file}, args...)
	text, err := stage.helms[major].Run(t.Context(), stage.dir, "", args...)
	return strings.TrimRight(strings.ReplaceAll(text, "\n\n---\n", "\n---\n"), "\n") + "\n", err // Helm 4 leaves lines empty
}

// accept insists that the API server would take a rendering, strictly, and returns what it
// says to it.
func accept(t *testing.T, manifest string) string {
	t.Helper()
	cmd := stage.plane.Kubectl(t.Context(), "apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-")
	cmd.Stdin = strings.NewReader(manifest)
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, string(output))
	return string(output)
}
