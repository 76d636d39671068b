// Package audit_test runs the true controller against a real API server with real
// controllers, and reads what it reports as people do.
package audit_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"embargo.dev/policies/v1alpha1"
	"embargo.dev/test/installation"
	"embargo.dev/test/testcluster"
)

// stage is shared by the tests of this package. Each keeps to a namespace and to vendors
// of its own.
var stage testcluster.Cluster

func TestMain(m *testing.M) { os.Exit(stage.Run(m, testcluster.Options{Replicas: 1})) }

// replica is the controller as it runs now.
func replica() *installation.Replica { return stage.Replicas[len(stage.Replicas)-1] }

// kubectl runs the real kubectl and returns all that it prints.
func kubectl(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return stage.Kubectl(t, "", args...)
}

// must insists that a command succeeds.
func must(t *testing.T, args ...string) string {
	t.Helper()
	return stage.Must(t, args...)
}

// apply insists that a manifest is admitted.
func apply(t *testing.T, manifest string) {
	t.Helper()
	stage.Apply(t, manifest)
}

// namespace makes a namespace for a test, and removes it after.
func namespace(t *testing.T) string {
	t.Helper()
	name := stage.Namespace(t)
	t.Cleanup(func() { must(t, "delete", "namespace", name, "--wait=false") })
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
	err := stage.Admin.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: name}, &r)
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
