package audit_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// events counts the events about restricted images in a namespace.
func events(t *testing.T, ns string) int {
	t.Helper()
	return len(strings.Fields(must(t, "-n", ns, "get", "events", "--field-selector=reason=RestrictedImage", "-o", "name")))
}

// TestEventsStopWithWhatTheyAreAbout has a vendor go, and then a namespace, while most events
// still wait: five are written a second.
func TestEventsStopWithWhatTheyAreAbout(t *testing.T) {
	ns := stage.Namespace(t)
	t.Cleanup(func() { must(t, "delete", "namespace", ns, "--ignore-not-found", "--wait=false") })
	const workloads = 60
	var manifests strings.Builder
	for i := range workloads {
		fmt.Fprintf(&manifests, `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: agent-%d, namespace: %s}
spec:
  replicas: 0
  selector: {matchLabels: {app: agent}}
  template: {metadata: {labels: {app: agent}}, spec: {containers: [{name: c, image: "registry.stopping.example/agent:1"}]}}
`, i, ns)
	}
	apply(t, manifests.String())
	begin := func(more int) {
		vendor(t, "stopping", prohibited)
		require.Eventually(t, func() bool { return events(t, ns) >= more }, 30*time.Second, 100*time.Millisecond, "the Deployments have events")
	}
	begin(3)
	must(t, "delete", "restrictedvendor", "stopping")
	require.Eventually(t, func() bool {
		return must(t, "-n", ns, "get", "vendorreports", "-o", "name") == ""
	}, 30*time.Second, 100*time.Millisecond, "the audit knows that the vendor is gone")
	written := events(t, ns)
	require.Less(t, written, workloads-10, "most still wait")
	time.Sleep(3 * time.Second) // in which fifteen would be written
	assert.InDelta(t, written, events(t, ns), 1, "none is written after the vendor is gone, but one that was under way")

	begin(written + 3)
	before, err := os.Stat(stage.Log.Name())
	require.NoError(t, err)
	must(t, "delete", "namespace", ns, "--timeout=60s")
	time.Sleep(2 * time.Second) // in which ten would fail
	log, err := os.ReadFile(stage.Log.Name())
	require.NoError(t, err)
	for line := range strings.Lines(string(log[before.Size():])) {
		assert.False(t, strings.Contains(line, "ERROR") && strings.Contains(line, ns), line)
	}
}
