package audit_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"embargo.dev/policies/v1alpha1"
	"embargo.dev/test/modules"
)

// The kinds that dashboards read, as their projects ship them.
var (
	openReports   = dashboardKind{"github.com/openreports/reports-api@v0.2.1", "config/crd/openreports.io_reports.yaml", "reports.openreports.io"}
	policyReports = dashboardKind{"github.com/kyverno/kyverno@v1.19.1", "config/crds/policyreport/wgpolicyk8s.io_policyreports.yaml", "policyreports.wgpolicyk8s.io"}
)

type dashboardKind struct{ module, file, name string }

// install adds the kind while Embargo runs.
func (k dashboardKind) install(t *testing.T) {
	t.Helper()
	dir, err := modules.Download(t.Context(), k.module)
	require.NoError(t, err)
	manifest, err := os.ReadFile(filepath.Join(dir, k.file))
	require.NoError(t, err)
	apply(t, string(manifest))
	t.Cleanup(func() { k.remove(t) })
}

func (k dashboardKind) remove(t *testing.T) {
	t.Helper()
	must(t, "delete", "crd", k.name, "--ignore-not-found")
}

// in returns the reports of a namespace.
func (k dashboardKind) in(t *testing.T, ns string) []unstructured.Unstructured {
	t.Helper()
	output, err := kubectl(t, "-n", ns, "get", k.name, "-o", "json")
	if err != nil {
		return nil // not served yet
	}
	var list unstructured.UnstructuredList
	require.NoError(t, json.Unmarshal([]byte(output), &list))
	return list.Items
}

// await waits until the namespace has reports on so many workloads and no others, and
// returns the one on the Deployment agent, where there is one.
func (k dashboardKind) await(t *testing.T, ns string, n int) *unstructured.Unstructured {
	t.Helper()
	began := time.Now()
	require.Eventually(t, func() bool { return len(k.in(t, ns)) == n }, 60*time.Second, 200*time.Millisecond, "%s", k.name)
	t.Logf("%d of %s after %s", n, k.name, time.Since(began).Round(time.Millisecond))
	for _, r := range k.in(t, ns) {
		if len(r.GetOwnerReferences()) > 0 && r.GetOwnerReferences()[0].Name == "agent" {
			return &r
		}
	}
	return nil
}

// check reads a report as dashboards do.
func check(t *testing.T, ns string, board *unstructured.Unstructured) {
	t.Helper()
	require.NotNil(t, board)
	uid := must(t, "-n", ns, "get", "deployment", "agent", "-o", "jsonpath={.metadata.uid}")
	assert.Equal(t, "embargo-"+uid, board.GetName())
	assert.Equal(t, "embargo", board.GetLabels()["app.kubernetes.io/managed-by"])
	require.Len(t, board.GetOwnerReferences(), 1)
	assert.Equal(t, uid, string(board.GetOwnerReferences()[0].UID))
	var content struct {
		Summary map[string]int
		Results []struct {
			Source, Policy, Rule, Result, Severity, Message string
			Scored                                          bool
			Timestamp                                       struct{ Seconds int64 }
			Resources                                       []map[string]string
			Properties                                      map[string]string
		}
	}
	raw, err := board.MarshalJSON()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &content))
	assert.Equal(t, map[string]int{"pass": 0, "fail": 1, "warn": 0, "error": 0, "skip": 0}, content.Summary)
	require.Len(t, content.Results, 1)
	r := content.Results[0]
	assert.Equal(t, []string{"embargo", "boards", "us-test", "fail", "high"}, []string{r.Source, r.Policy, r.Rule, r.Result, r.Severity})
	assert.Equal(t, []map[string]string{{"apiVersion": "apps/v1", "kind": "Deployment", "namespace": ns, "name": "agent", "uid": uid}}, r.Resources)
	assert.True(t, r.Scored)
	assert.NotEmpty(t, r.Message)
	assert.Regexp(t, "^[0-9a-f]{32}$", r.Properties["resultID"])
	delete(r.Properties, "resultID")
	assert.Equal(t, map[string]string{
		"image": "registry.boards.example/agent:1", "container": "agent", "vendor": "boards", "restriction": "us-test", "phase": "prohibited", "banDate": "2020-01-01",
	}, r.Properties)
	native := report(t, ns, "boards")
	require.NotNil(t, native)
	assert.True(t, native.Findings[0].ArrivedAfterBan, "which is why it fails")
	assert.Equal(t, native.Findings[0].Since.Unix(), r.Timestamp.Seconds)
}

// boarding has a namespace with two Deployments that run a restricted image.
func boarding(t *testing.T) string {
	t.Helper()
	ns := namespace(t)
	vendor(t, "boards", allowed)
	for _, name := range []string{"agent", "other"} {
		must(t, "-n", ns, "create", "deployment", name, "--image=registry.boards.example/agent:1")
		must(t, "-n", ns, "patch", "deployment", name, "-p", `{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}`)
	}
	must(t, "-n", ns, "create", "deployment", "web", "--image=nginx")
	require.Eventually(t, func() bool {
		return len(strings.Fields(must(t, "-n", ns, "get", "pods", "-o", "name"))) == 3
	}, 30*time.Second, 200*time.Millisecond)
	vendor(t, "boards", prohibited)
	await(t, ns, "boards", func(r *v1alpha1.VendorReport) bool { return len(r.Findings) == 2 })
	return ns
}

// TestDashboardsReadTheFindings adds the kinds that they read while Embargo runs, with
// the rights of its own account.
func TestDashboardsReadTheFindings(t *testing.T) {
	ns := boarding(t)
	policyReports.install(t)
	check(t, ns, policyReports.await(t, ns, 2))
	openReports.install(t)
	first := openReports.await(t, ns, 2)
	check(t, ns, first)
	assert.Equal(t, "embargo", first.Object["source"])
	policyReports.await(t, ns, 0)

	// What changes no finding writes nothing, and neither does the next leader. That it
	// looked shows in a report that goes with its workload.
	must(t, "-n", ns, "annotate", "deployment", "agent", "touched=yes")
	must(t, "-n", ns, "scale", "deployment", "web", "--replicas=2")
	restart(t)
	must(t, "-n", ns, "delete", "deployment", "other")
	after := openReports.await(t, ns, 1)
	assert.Equal(t, first.GetResourceVersion(), after.GetResourceVersion())

	must(t, "-n", ns, "set", "image", "deployment/agent", "agent=nginx")
	assert.Nil(t, openReports.await(t, ns, 0), "it goes with its finding too")
}

// TestReportsFollowTheKindsAndTheSetting takes the preferred kind away, and then the
// wish for any.
func TestReportsFollowTheKindsAndTheSetting(t *testing.T) {
	before := logged(t)
	ns := boarding(t)
	policyReports.install(t)
	openReports.install(t)
	openReports.await(t, ns, 2)
	openReports.remove(t)
	policyReports.await(t, ns, 2)
	openReports.install(t)
	openReports.await(t, ns, 2)
	policyReports.await(t, ns, 0)

	t.Cleanup(func() { restart(t) })
	restart(t, "--report-api=wgpolicy")
	policyReports.await(t, ns, 2)
	openReports.await(t, ns, 0)
	restart(t, "--report-api=none")
	policyReports.await(t, ns, 0)

	for line := range strings.SplitSeq(logged(t)[len(before):], "\n") {
		assert.NotContains(t, line, "Failed to watch", "nothing is watched that may not be there")
		assert.NotContains(t, line, "reports on workloads can't be kept in order")
	}
}

// restart starts the controller again, with other flags.
func restart(t *testing.T, flags ...string) {
	t.Helper()
	require.NoError(t, replica().Stop())
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	require.NoError(t, stage.Start(ctx, flags...))
}
