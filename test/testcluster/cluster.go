// Package testcluster gives the tests of a package a control plane with the controller on
// it.
package testcluster

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/util/version"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/policies/v1alpha1"
	"embargo.dev/test/controlplane"
	"embargo.dev/test/installation"
)

// Cluster is a control plane with the controller on it, shared by the tests of a package.
type Cluster struct {
	Plane    *controlplane.ControlPlane
	Root     string // folder of the module
	Binary   string // of the controller
	Account  string // the controller's kubeconfig
	Log      *os.File
	Replicas []*installation.Replica
	Admin    client.Client

	dir         string
	commandLine func() (string, error)
}

// Options say what is on it.
type Options struct {
	Replicas       int
	Flags          []string // of the replicas
	APIServerFlags []string
}

// keepLog names a file that the controller's log is kept in.
const keepLog = "EMBARGO_KEEP_LOG"

// Run sets the cluster up, runs a package's tests on it and takes it down. It returns the
// code to exit with.
func (c *Cluster) Run(m *testing.M, o Options) int {
	logf.SetLogger(logr.Discard())
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	var err error
	if c.dir, err = os.MkdirTemp("", "embargo-test-"); err != nil {
		return c.fail(err)
	}
	defer os.RemoveAll(c.dir) //nolint:errcheck // a temporary folder
	defer c.tearDown()
	if err := c.setUp(ctx, o); err != nil {
		return c.fail(err)
	}
	code := m.Run()
	if path := os.Getenv(keepLog); path != "" {
		_ = os.Rename(c.Log.Name(), path)
	}
	return code
}

func (c *Cluster) fail(err error) int {
	fmt.Fprintln(os.Stderr, "setting up:", err)
	if c.Log != nil {
		if log, readErr := os.ReadFile(c.Log.Name()); readErr == nil {
			fmt.Fprintln(os.Stderr, string(log))
		}
	}
	return 1
}

func (c *Cluster) setUp(ctx context.Context, o Options) error {
	var err error
	if c.Root, err = installation.Root(ctx); err != nil {
		return err
	}
	if c.Binary, err = installation.Build(ctx, c.Root, c.dir); err != nil {
		return err
	}
	c.commandLine = sync.OnceValues(c.buildCommandLine)
	if c.Plane, err = controlplane.Start(ctx, controlplane.Options{ControllerManager: true, Progress: os.Stderr, APIServerFlags: o.APIServerFlags}); err != nil {
		return err
	}
	if err := installation.Prepare(ctx, c.Plane, c.Root); err != nil {
		return err
	}
	if c.Account, err = installation.Kubeconfig(ctx, c.Plane, c.dir); err != nil {
		return err
	}
	if c.Admin, err = client.New(c.Plane.Config(), client.Options{}); err != nil {
		return err
	}
	if err := v1alpha1.AddToScheme(c.Admin.Scheme()); err != nil {
		return err
	}
	if c.Log, err = os.Create(filepath.Join(c.dir, "embargo.log")); err != nil {
		return err
	}
	for range o.Replicas {
		if err := c.Start(ctx, o.Flags...); err != nil {
			return err
		}
	}
	return installation.AwaitRegistered(ctx, c.Plane)
}

func (c *Cluster) tearDown() {
	for _, r := range c.Replicas {
		_ = r.Stop()
	}
	if c.Plane != nil {
		_ = c.Plane.Stop()
	}
}

// Start starts one more replica, and waits until it is ready. With those that have ended
// it is one of Replicas.
func (c *Cluster) Start(ctx context.Context, flags ...string) error {
	replica, err := installation.Start(c.Plane, c.Binary, c.Account, c.Log, flags...)
	if err != nil {
		return err
	}
	c.Replicas = append(c.Replicas, replica)
	return replica.AwaitReady(ctx)
}

// Needs skips a test of what Kubernetes has since 1.MINOR only, where an earlier release
// was named to run on.
func (c *Cluster) Needs(t *testing.T, minor uint) {
	t.Helper()
	release, err := version.ParseSemantic(controlplane.Release())
	require.NoError(t, err)
	if release.Minor() < minor {
		t.Skipf("%s lacks what this tests", release)
	}
}

// Kubectl runs the real kubectl and returns all that it prints.
func (c *Cluster) Kubectl(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	cmd := c.Plane.Kubectl(context.WithoutCancel(t.Context()), args...) // also while cleaning up
	cmd.Stdin = strings.NewReader(stdin)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	err := cmd.Run()
	return output.String(), err
}

// Must insists that a command of kubectl's succeeds.
func (c *Cluster) Must(t *testing.T, args ...string) string {
	t.Helper()
	output, err := c.Kubectl(t, "", args...)
	require.NoError(t, err, output)
	return output
}

// Apply insists that a manifest is admitted.
func (c *Cluster) Apply(t *testing.T, manifest string) string {
	t.Helper()
	output, err := c.Kubectl(t, manifest, "apply", "-f", "-")
	require.NoError(t, err, output)
	return output
}

// Namespace makes a namespace that is named for the test.
func (c *Cluster) Namespace(t *testing.T) string {
	t.Helper()
	name := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(t.Name(), "Test"), "/", "-"))
	name = strings.Trim(name[:min(len(name), 60)], "-")
	c.Must(t, "create", "namespace", name)
	require.Eventually(t, func() bool {
		_, err := c.Kubectl(t, "", "-n", name, "get", "serviceaccount", "default")
		return err == nil
	}, 10*time.Second, 50*time.Millisecond)
	return name
}

// Answer is what a run of the command line comes to.
type Answer struct {
	Code           int
	Stdout, Stderr string
}

// Embargo runs the command line, which is built the first time, with a kubeconfig.
func (c *Cluster) Embargo(t *testing.T, kubeconfig, stdin string, args ...string) Answer {
	t.Helper()
	path, err := c.commandLine()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig)
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run() // the code says it
	return Answer{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// CommandLine returns the path of the command line.
func (c *Cluster) CommandLine(t *testing.T) string {
	t.Helper()
	path, err := c.commandLine()
	require.NoError(t, err)
	return path
}

func (c *Cluster) buildCommandLine() (string, error) {
	path := filepath.Join(c.dir, "kubectl-embargo")
	cmd := exec.Command("go", "build", "-o", path, "./cmd/kubectl-embargo")
	cmd.Dir = c.Root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the command line: %w\n%s", err, output)
	}
	return path, nil
}
