package audit_test

import (
	"context"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/policies/v1alpha1"
)

// TestNothingIsLostWhenEtcdIsCompacted halts the replica, restarts the API server, which
// ends its watches, has workloads change, and has etcd forget the versions that the watches
// would go on from. The API server runs without the cache that would remember them in
// etcd's place.
func TestNothingIsLostWhenEtcdIsCompacted(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 5*time.Minute)
	t.Cleanup(cancel)
	standAlone(ctx, t)
	ns := namespace(t)
	vendor(t, "compacted", allowed)
	must(t, "-n", ns, "create", "deployment", "agent", "--image=registry.compacted.example/agent:1")
	must(t, "-n", ns, "create", "deployment", "gone", "--image=registry.compacted.example/agent:1")
	must(t, "-n", ns, "create", "cronjob", "nightly", "--image=registry.compacted.example/agent:1", "--schedule=0 0 1 1 *")
	vendor(t, "compacted", prohibited)
	before := of(await(t, ns, "compacted", func(r *v1alpha1.VendorReport) bool { return len(r.Findings) == 3 && of(r)["agent"].Pods == 1 }))
	assert.Equal(t, v1alpha1.SinceFirstSeen, before["nightly"].SinceFrom, "nothing but the report tells")

	halted := logged(t)
	require.NoError(t, syscall.Kill(replica().PID(), syscall.SIGSTOP))
	require.NoError(t, stage.Plane.RestartAPIServer(ctx, "--watch-cache=false"))
	must(t, "-n", ns, "delete", "deployment", "gone")
	must(t, "-n", ns, "scale", "deployment", "agent", "--replicas=2")
	require.Eventually(t, func() bool {
		return len(strings.Fields(must(t, "-n", ns, "get", "pods", "-l", "app=agent", "-o", "name"))) == 2
	}, time.Minute, 200*time.Millisecond)
	require.NoError(t, stage.Plane.Compact(ctx))
	require.NoError(t, syscall.Kill(replica().PID(), syscall.SIGCONT))

	report := awaitFor(t, time.Minute, ns, "compacted", func(r *v1alpha1.VendorReport) bool {
		return len(r.Findings) == 2 && len(r.Resolved) == 1 && of(r)["agent"].Pods == 2
	})
	after := of(report)
	for _, name := range []string{"agent", "nightly"} {
		assert.Equal(t, before[name].Since, after[name].Since)
		assert.Equal(t, before[name].SinceFrom, after[name].SinceFrom)
		assert.Equal(t, before[name].ArrivedAfterBan, after[name].ArrivedAfterBan)
	}
	assert.Equal(t, "gone", report.Resolved[0].Workload.Name)
	assert.Equal(t, before["gone"].Since, report.Resolved[0].Since)
	for _, resource := range []string{"deployments.apps", "replicasets.apps", "pods", "cronjobs.batch", "vendorreports.embargo.dev"} {
		again := regexp.MustCompile("listing again.* resource=" + regexp.QuoteMeta(resource) + " .*watch is too old")
		assert.True(t, again.MatchString(logged(t)[len(halted):]), "the watch of %s was lost", resource)
	}
}

// standAlone runs the replica without leader election, which would end it when it is
// halted for longer than a lease lasts, until the test ends.
func standAlone(ctx context.Context, t *testing.T) {
	t.Helper()
	restart(t, "--leader-election-disabled", "--log-level=debug")
	awaitAdmission(t)
	t.Cleanup(func() {
		require.NoError(t, syscall.Kill(replica().PID(), syscall.SIGCONT))
		require.NoError(t, stage.Plane.RestartAPIServer(ctx))
		restart(t)
		awaitAdmission(t)
		awaitControllers(t)
	})
}

// awaitControllers waits until Kubernetes' controllers, whose watches were lost too, act
// again.
func awaitControllers(t *testing.T) {
	t.Helper()
	ns := "after-" + strings.ToLower(t.Name())
	must(t, "create", "namespace", ns)
	require.Eventually(t, func() bool {
		_, err := kubectl(t, "-n", ns, "get", "serviceaccount", "default")
		return err == nil
	}, 2*time.Minute, 200*time.Millisecond)
	must(t, "delete", "namespace", ns, "--wait=false")
}

// awaitAdmission waits until the API server asks the replica that runs now.
func awaitAdmission(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err := kubectl(t, "annotate", "rv", "kaspersky", "--dry-run=server", "tried=now")
		return err == nil
	}, time.Minute, 200*time.Millisecond)
}

// logged returns what the replica has logged so far.
func logged(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(stage.Log.Name())
	require.NoError(t, err)
	return string(content)
}

// of returns the findings of a report by the names of their workloads.
func of(r *v1alpha1.VendorReport) map[string]v1alpha1.ReportedFinding {
	found := map[string]v1alpha1.ReportedFinding{}
	for _, f := range r.Findings {
		found[f.Workload.Name] = f
	}
	return found
}
