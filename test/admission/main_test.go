// Package admission_test runs the true controller, two replicas of it, against a real
// API server with real controllers.
package admission_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/policies/v1alpha1"
	"embargo.dev/test/controlplane"
	"embargo.dev/test/installation"
)

// stage is the control plane with Embargo on it, shared by the tests of this package.
// Each test keeps to a namespace and to vendors of its own.
var stage struct {
	plane    *controlplane.ControlPlane
	binary   string
	root     string
	replicas []*installation.Replica
	admin    client.Client
	log      string
}

func TestMain(m *testing.M) {
	logf.SetLogger(logr.Discard())
	os.Exit(run(m))
}

func run(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "embargo-admission-")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	err = setUp(ctx, dir)
	defer tearDown()
	if err != nil {
		return fail(err)
	}
	return m.Run()
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "setting up:", err)
	if log, readErr := os.ReadFile(stage.log); readErr == nil {
		fmt.Fprintln(os.Stderr, string(log))
	}
	return 1
}

func setUp(ctx context.Context, dir string) error {
	var err error
	if stage.root, err = installation.Root(ctx); err != nil {
		return err
	}
	if stage.binary, err = installation.Build(ctx, stage.root, dir); err != nil {
		return err
	}
	if stage.plane, err = controlplane.Start(ctx, controlplane.Options{
		ControllerManager: true, Progress: os.Stderr,
		// A test's aggregated API is reached by the name that its Service has, since an
		// endpoint on this machine wouldn't be accepted.
		APIServerFlags: []string{"--enable-aggregator-routing=false"},
	}); err != nil {
		return err
	}
	if err := installation.Prepare(ctx, stage.plane, stage.root); err != nil {
		return err
	}
	kubeconfig, err := installation.Kubeconfig(ctx, stage.plane, dir)
	if err != nil {
		return err
	}
	stage.log = filepath.Join(dir, "embargo.log")
	log, err := os.Create(stage.log)
	if err != nil {
		return err
	}
	for range 2 {
		replica, err := installation.Start(stage.plane, stage.binary, kubeconfig, log, "--trusted-controllers=trusted-operator")
		if err != nil {
			return err
		}
		stage.replicas = append(stage.replicas, replica)
		if err := replica.AwaitReady(ctx); err != nil {
			return err
		}
	}
	if err := installation.AwaitRegistered(ctx, stage.plane); err != nil {
		return err
	}
	stage.admin, err = newClient(stage.plane.Config())
	return err
}

func tearDown() {
	for _, r := range stage.replicas {
		_ = r.Stop()
	}
	if stage.plane != nil {
		_ = stage.plane.Stop()
	}
}

func newClient(config *rest.Config) (client.Client, error) {
	c, err := client.New(config, client.Options{})
	if err != nil {
		return nil, err
	}
	return c, v1alpha1.AddToScheme(c.Scheme())
}

// kubectl runs the real kubectl and returns all that it prints.
func kubectl(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return kubectlWith(t, "", args...)
}

func kubectlWith(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	cmd := stage.plane.Kubectl(context.WithoutCancel(t.Context()), args...) // also while cleaning up
	cmd.Stdin = strings.NewReader(stdin)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	err := cmd.Run()
	return output.String(), err
}

// must insists that a command succeeds.
func must(t *testing.T, args ...string) string {
	t.Helper()
	output, err := kubectl(t, args...)
	require.NoError(t, err, output)
	return output
}

// apply insists that a manifest is admitted.
func apply(t *testing.T, manifest string) string {
	t.Helper()
	output, err := kubectlWith(t, manifest, "apply", "-f", "-")
	require.NoError(t, err, output)
	return output
}

// namespace makes a namespace for a test.
func namespace(t *testing.T) string {
	t.Helper()
	name := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(t.Name(), "Test"), "/", "-"))
	name = strings.Trim(name[:min(len(name), 60)], "-")
	must(t, "create", "namespace", name)
	require.Eventually(t, func() bool {
		_, err := kubectl(t, "-n", name, "get", "serviceaccount", "default")
		return err == nil
	}, 10*time.Second, 50*time.Millisecond)
	return name
}

// write writes a file for a test and returns its path.
func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}
