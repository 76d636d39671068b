// Package audit_test runs the true controller against a real API server with real
// controllers, and reads what it reports as people do.
package audit_test

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
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/policies/v1alpha1"
	"embargo.dev/test/controlplane"
	"embargo.dev/test/installation"
)

// stage is the control plane with Embargo on it, shared by the tests of this package.
// Each test keeps to a namespace and to vendors of its own.
var stage struct {
	plane   *controlplane.ControlPlane
	binary  string
	account string // kubeconfig of the controller
	replica *installation.Replica
	admin   client.Client
	log     *os.File
}

func TestMain(m *testing.M) {
	logf.SetLogger(logr.Discard())
	os.Exit(run(m))
}

func run(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "embargo-audit-")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	err = setUp(ctx, dir)
	defer tearDown()
	if err != nil {
		return fail(err)
	}
	code := m.Run()
	if path := os.Getenv("EMBARGO_KEEP_LOG"); path != "" {
		_ = os.Rename(stage.log.Name(), path)
	}
	return code
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "setting up:", err)
	if stage.log != nil {
		if log, readErr := os.ReadFile(stage.log.Name()); readErr == nil {
			fmt.Fprintln(os.Stderr, string(log))
		}
	}
	return 1
}

func setUp(ctx context.Context, dir string) error {
	root, err := installation.Root(ctx)
	if err != nil {
		return err
	}
	if stage.binary, err = installation.Build(ctx, root, dir); err != nil {
		return err
	}
	if stage.plane, err = controlplane.Start(ctx, controlplane.Options{ControllerManager: true, Progress: os.Stderr}); err != nil {
		return err
	}
	if err := installation.Prepare(ctx, stage.plane, root); err != nil {
		return err
	}
	if stage.account, err = installation.Kubeconfig(ctx, stage.plane, dir); err != nil {
		return err
	}
	if stage.log, err = os.Create(filepath.Join(dir, "embargo.log")); err != nil {
		return err
	}
	if stage.admin, err = client.New(stage.plane.Config(), client.Options{}); err != nil {
		return err
	}
	if err := v1alpha1.AddToScheme(stage.admin.Scheme()); err != nil {
		return err
	}
	if err := start(ctx); err != nil {
		return err
	}
	return installation.AwaitRegistered(ctx, stage.plane)
}

// start starts the replica, and waits until it is ready.
func start(ctx context.Context, flags ...string) error {
	replica, err := installation.Start(stage.plane, stage.binary, stage.account, stage.log, flags...)
	if err != nil {
		return err
	}
	stage.replica = replica
	return replica.AwaitReady(ctx)
}

func tearDown() {
	if stage.replica != nil {
		_ = stage.replica.Stop()
	}
	if stage.plane != nil {
		_ = stage.plane.Stop()
	}
}

// kubectl runs the real kubectl and returns all that it prints.
func kubectl(t *testing.T, stdin string, args ...string) (string, error) {
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
	output, err := kubectl(t, "", args...)
	require.NoError(t, err, output)
	return output
}

// apply insists that a manifest is admitted.
func apply(t *testing.T, manifest string) {
	t.Helper()
	output, err := kubectl(t, manifest, "apply", "-f", "-")
	require.NoError(t, err, output)
}

// namespace makes a namespace for a test, and removes it after.
func namespace(t *testing.T) string {
	t.Helper()
	name := strings.ToLower(strings.TrimPrefix(t.Name(), "Test"))
	name = name[:min(len(name), 50)]
	must(t, "create", "namespace", name)
	t.Cleanup(func() { must(t, "delete", "namespace", name, "--wait=false") })
	require.Eventually(t, func() bool {
		_, err := kubectl(t, "", "-n", name, "get", "serviceaccount", "default")
		return err == nil
	}, 10*time.Second, 50*time.Millisecond)
	return name
}

// vendor is a RestrictedVendor whose registry is its name's, and whose phases are given
// as YAML. It is removed after the test.
func vendor(t *testing.T, name, phases string) {
	t.Helper()
	apply(t, fmt.Sprintf(`
apiVersion: embargo.dev/v1alpha1
kind: RestrictedVendor
metadata: {name: %[1]s}
spec:
  displayName: %[1]s
  images: {repositories: [{pattern: "registry.%[1]s.example/**"}], digests: [%[3]q]}
  restrictions:
    - name: us-test
      authority: the tests
      citations: [{title: Order 1, url: "https://example.com/1"}]
      audience: us-persons
      timeZone: America/New_York
      schedule: [%[2]s]
`, name, phases, listed))
	t.Cleanup(func() { must(t, "delete", "restrictedvendor", name, "--ignore-not-found") })
}

// listed is a digest on every vendor's list.
var listed = "sha256:" + strings.Repeat("ab", 32)

const (
	allowed    = `{phase: free, effective: "2020-01-01", introduce: Allow, update: Allow, continue: Allow}`
	prohibited = `{phase: prohibited, effective: "2020-01-01", summary: use is prohibited, introduce: Deny, update: Deny, continue: Warn}`
)

// report returns the report on a vendor; nil where there is none.
func report(t *testing.T, ns, name string) *v1alpha1.VendorReport {
	t.Helper()
	var r v1alpha1.VendorReport
	err := stage.admin.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: name}, &r)
	if client.IgnoreNotFound(err) != nil {
		require.NoError(t, err)
	}
	if err != nil {
		return nil
	}
	return &r
}

// await waits until a report is as it should be, and returns it.
func await(t *testing.T, ns, name string, is func(*v1alpha1.VendorReport) bool) *v1alpha1.VendorReport {
	t.Helper()
	return awaitFor(t, 30*time.Second, ns, name, is)
}

// awaitFor waits so long at most.
func awaitFor(t *testing.T, most time.Duration, ns, name string, is func(*v1alpha1.VendorReport) bool) *v1alpha1.VendorReport {
	t.Helper()
	var last *v1alpha1.VendorReport
	ok := false
	for end := time.Now().Add(most); !ok && time.Now().Before(end); {
		if last = report(t, ns, name); last != nil {
			ok = is(last)
		}
		if !ok {
			pause(t)
		}
	}
	require.True(t, ok, "the report is %+v", last)
	return last
}

// pause lets a moment pass before something is looked at again.
func pause(t *testing.T) {
	t.Helper()
	select {
	case <-t.Context().Done():
		t.Fatal("the test's time is over")
	case <-time.After(50 * time.Millisecond):
	}
}
