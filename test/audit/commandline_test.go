package audit_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/test/testcluster"
)

// embargo runs the command line with a kubeconfig.
func embargo(t *testing.T, kubeconfig string, args ...string) testcluster.Answer {
	t.Helper()
	return stage.Embargo(t, kubeconfig, "", args...)
}

// running is a finding of the command line's.
type running struct {
	Cluster, File, APIVersion, Kind, Namespace, Name string

	policies.Finding

	Since     *time.Time
	SinceFrom v1alpha1.SinceFrom
	Pods      int32
}

// audited is what is read of the JSON of an audit, or of a check.
type audited struct {
	Kind, RuleSet string
	Notices       []string
	Findings      []running
	Clusters      []struct {
		Name     string
		Objects  int
		Complete bool
	}
}

// runAudit audits, and reads the answer.
func runAudit(t *testing.T, kubeconfig string, args ...string) (audited, testcluster.Answer) {
	t.Helper()
	a := embargo(t, kubeconfig, append([]string{"audit", "-o", "json"}, args...)...)
	return decoded(t, a), a
}

func decoded(t *testing.T, a testcluster.Answer) audited {
	t.Helper()
	var r audited
	require.NoError(t, json.Unmarshal([]byte(a.Stdout), &r), a.Stdout+a.Stderr)
	return r
}

// of are the findings on a vendor, as what both sides have in common.
func (r audited) of(vendor string) []string {
	var all []string
	for _, f := range r.Findings {
		if f.Vendor == vendor {
			all = append(all, line(f.Kind, f.Name, f.Container, f.Image, f.Canonical, f.Restriction, f.Phase, string(f.Use), string(f.Action), string(f.Evidence)))
		}
	}
	slices.Sort(all)
	return all
}

func line(parts ...string) string { return strings.Join(parts, " ") }

// populate makes a Deployment, a CronJob with a Job, and a Pod of nobody's, while that is
// allowed, then restricts their vendor.
func populate(t *testing.T, ns, name string) *v1alpha1.VendorReport {
	t.Helper()
	vendor(t, name, allowed)
	image := "registry." + name + ".example/agent:1"
	must(t, "-n", ns, "create", "deployment", "agent", "--image="+image, "--replicas=3")
	must(t, "-n", ns, "create", "cronjob", "nightly", "--image="+image, "--schedule=0 0 1 1 *")
	must(t, "-n", ns, "create", "job", "now", "--from=cronjob/nightly")
	must(t, "-n", ns, "run", "bare", "--image="+image)
	must(t, "-n", ns, "create", "deployment", "web", "--image=nginx")
	require.Eventually(t, func() bool {
		return len(strings.Fields(must(t, "-n", ns, "get", "pods", "-l", "app=agent", "-o", "name"))) == 3
	}, 30*time.Second, 100*time.Millisecond)
	vendor(t, name, prohibited)
	return await(t, ns, name, func(r *v1alpha1.VendorReport) bool {
		return r.Summary.Workloads == 3 && slices.ContainsFunc(r.Findings, func(f v1alpha1.ReportedFinding) bool { return f.Pods == 3 })
	})
}

// TestTheCommandLineAgreesWithTheReports compares audit with the VendorReports, and with
// check of the same objects.
func TestTheCommandLineAgreesWithTheReports(t *testing.T) {
	ns := namespace(t)
	report := populate(t, ns, "agreed")
	r, a := runAudit(t, stage.Plane.Kubeconfig(), "-n", ns)
	assert.Equal(t, 0, a.Code, "what runs is never refused: %s", a.Stderr)
	assert.Equal(t, "AuditResult", r.Kind)
	assert.Equal(t, report.RuleSet, r.RuleSet)

	var want []string
	since := map[string]time.Time{}
	for _, f := range report.Findings {
		want = append(want, line(f.Workload.Kind, f.Workload.Name, f.Container, f.Image, f.Canonical, f.Restriction, f.Phase, f.Use, string(f.Action), f.Evidence))
		since[f.Workload.Kind] = f.Since.Time
	}
	slices.Sort(want)
	assert.Equal(t, want, r.of("agreed"))
	require.Len(t, r.Findings, 3, "a Deployment with three Pods is one workload, and so is a CronJob with its Job")
	for _, f := range r.Findings {
		assert.NotEmpty(t, f.Cluster)
		require.NotNil(t, f.Since, f.Kind)
		assert.True(t, since[f.Kind].Equal(*f.Since), "%s: %s and %s", f.Kind, since[f.Kind], f.Since)
	}

	dir := t.TempDir()
	rules, live := filepath.Join(dir, "rules.yaml"), filepath.Join(dir, "live.yaml")
	require.NoError(t, os.WriteFile(rules, []byte(embargo(t, stage.Plane.Kubeconfig(), "export").Stdout), 0o600))
	objects := must(t, "-n", ns, "get", "deployment/agent", "cronjob/nightly", "pod/bare", "-o", "yaml")
	require.NoError(t, os.WriteFile(live, []byte(objects), 0o600))
	checked := embargo(t, stage.Plane.Kubeconfig(), "check", "-f", live, "--old", live, "--list", rules, "--policy", rules, "-o", "json")
	assert.Equal(t, decoded(t, checked).of("agreed"), r.of("agreed"), checked.Stderr)
}

// TestAForbiddenNamespaceIsNamed audits as somebody who may view one namespace of two.
func TestAForbiddenNamespaceIsNamed(t *testing.T) {
	ns := namespace(t)
	hidden := ns + "-hidden"
	must(t, "create", "namespace", hidden)
	t.Cleanup(func() { must(t, "delete", "namespace", hidden, "--wait=false") })
	populate(t, ns, "partial")
	user, err := stage.Plane.WriteKubeconfig("partial.kubeconfig", "viewer-of-one")
	require.NoError(t, err)
	must(t, "-n", ns, "create", "rolebinding", "viewer", "--clusterrole=view", "--user=viewer-of-one")
	apply(t, `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: test-rules-viewer}
rules:
  - {apiGroups: [embargo.dev], resources: [restrictedvendors, vendorpolicies, vendorwaivers], verbs: [get, list]}
  - {apiGroups: [""], resources: [namespaces], verbs: [get, list]}
`)
	must(t, "create", "clusterrolebinding", "test-rules-viewer", "--clusterrole=test-rules-viewer", "--user=viewer-of-one")
	t.Cleanup(func() { must(t, "delete", "clusterrole,clusterrolebinding", "test-rules-viewer") })

	require.Eventually(t, func() bool { // the authorizer follows a moment later
		_, a := runAudit(t, user, "-n", ns)
		return a.Code == 0
	}, 20*time.Second, 200*time.Millisecond)
	r, a := runAudit(t, user, "-A")
	assert.Equal(t, 3, a.Code, a.Stderr)
	assert.Contains(t, a.Stderr, hidden)
	assert.Regexp(t, `deployments\.apps.*forbidden`, a.Stderr)
	assert.Len(t, r.of("partial"), 3, "the rest is still told")
	require.Len(t, r.Clusters, 1)
	assert.False(t, r.Clusters[0].Complete)

	_, a = runAudit(t, user, "-n", hidden)
	assert.Equal(t, 3, a.Code)
	assert.Contains(t, a.Stderr, hidden)
	_, a = runAudit(t, user, "-n", "there-is-none")
	assert.Equal(t, 3, a.Code)
	assert.Contains(t, a.Stderr, "there-is-none")
}

// twoContexts writes a kubeconfig with the control plane under one name, and a cluster
// out of reach under another.
func twoContexts(t *testing.T) string {
	t.Helper()
	config, err := clientcmd.LoadFromFile(stage.Plane.Kubeconfig())
	require.NoError(t, err)
	config.Contexts["again"] = &clientcmdapi.Context{Cluster: "embargo", AuthInfo: "user"}
	config.Clusters["away"] = &clientcmdapi.Cluster{Server: "https://127.0.0.1:1"}
	config.Contexts["away"] = &clientcmdapi.Context{Cluster: "away", AuthInfo: "user"}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	require.NoError(t, clientcmd.WriteToFile(*config, path))
	return path
}

func TestSeveralContextsAreOneAudit(t *testing.T) {
	ns := namespace(t)
	populate(t, ns, "several")
	kubeconfig := twoContexts(t)
	r, a := runAudit(t, kubeconfig, "-n", ns, "--context", "embargo,again")
	assert.Equal(t, 0, a.Code, a.Stderr)
	assert.Len(t, r.of("several"), 6)
	assert.Equal(t, "embargo", r.Findings[0].Cluster)
	assert.Equal(t, "again", r.Findings[5].Cluster)

	r, a = runAudit(t, kubeconfig, "-n", ns, "--context", "away", "--context", "again")
	assert.Equal(t, 3, a.Code)
	assert.Contains(t, a.Stderr, "cluster away")
	assert.Len(t, r.of("several"), 3, "the rest is still told")
	_, a = runAudit(t, kubeconfig, "--context", "unheard-of")
	assert.Equal(t, 3, a.Code)
	assert.Contains(t, a.Stderr, "unheard-of")
	_, a = runAudit(t, kubeconfig, "-n", ns, "--context", "away,again", "--fail-on", "Warn")
	assert.Equal(t, 3, a.Code, "it goes before findings")
}

// TestAnAuditAsOfAnotherDayByOtherRules takes nothing but what runs from the cluster.
func TestAnAuditAsOfAnotherDayByOtherRules(t *testing.T) {
	ns := namespace(t)
	populate(t, ns, "other")
	list := filepath.Join(t.TempDir(), "list.yaml")
	require.NoError(t, os.WriteFile(list, []byte(`
apiVersion: embargo.dev/v1alpha1
kind: RestrictedVendor
metadata: {name: renamed}
spec:
  displayName: Renamed
  images: {repositories: [{pattern: "registry.other.example/**"}]}
  restrictions:
    - name: r
      authority: the tests
      citations: [{title: Order 1, url: "https://example.com/1"}]
      audience: us-test
      timeZone: America/New_York
      schedule: [{phase: begun, effective: "2040-01-01", introduce: Deny, update: Deny, continue: Warn}]
`), 0o600))
	policy := filepath.Join(t.TempDir(), "policy.yaml")
	require.NoError(t, os.WriteFile(policy, []byte(`
apiVersion: embargo.dev/v1alpha1
kind: VendorPolicy
metadata: {name: given}
spec: {audiences: [us-test], enforcement: Warn}
`), 0o600))
	args := []string{"-n", ns, "--list", list, "--policy", policy, "--fail-on", "Warn"}
	r, a := runAudit(t, stage.Plane.Kubeconfig(), args...)
	assert.Equal(t, 0, a.Code, a.Stderr)
	assert.Empty(t, r.Findings, "it hasn't begun")
	r, a = runAudit(t, stage.Plane.Kubeconfig(), append(args, "--as-of", "2039-12-31")...)
	assert.Equal(t, 0, a.Code, a.Stderr)
	assert.Empty(t, r.Findings)
	r, a = runAudit(t, stage.Plane.Kubeconfig(), append(args, "--as-of", "2040-01-01")...)
	assert.Equal(t, 1, a.Code, a.Stderr)
	assert.Len(t, r.of("renamed"), 3)
	assert.Equal(t, []string{"given"}, r.Findings[0].Policies)
	assert.Equal(t, "2040-01-01T05:00:00Z", r.Findings[0].EvaluatedAt.Format(time.RFC3339), "the day begins in New York")
}

// TestAForecastTellsWhatEachDateBreaks forecasts what the cluster's own rules bring.
func TestAForecastTellsWhatEachDateBreaks(t *testing.T) {
	ns := namespace(t)
	vendor(t, "coming", `{phase: announced, effective: "2020-01-01", introduce: Warn, update: Warn, continue: Audit},
		{phase: sales, effective: "2090-06-01", introduce: Deny, update: Warn, continue: Warn}, {phase: updates, effective: "2090-07-01", introduce: Deny, update: Deny, continue: Warn}`)
	must(t, "-n", ns, "create", "deployment", "agent", "--image=registry.coming.example/agent:1")
	must(t, "-n", ns, "run", "bare", "--image=registry.coming.example/agent:1")
	require.Eventually(t, func() bool {
		return strings.Contains(must(t, "-n", ns, "get", "pods", "-o", "name"), "pod/agent-")
	}, 20*time.Second, 100*time.Millisecond)
	args := []string{"forecast", "-n", ns, "--as-of", "2090-05-31T12:00:00Z", "--until", "2090-12-31", "-o", "csv"}
	a := embargo(t, stage.Plane.Kubeconfig(), args...)
	assert.Equal(t, 1, a.Code, "something is refused: %s", a.Stderr)
	assert.Regexp(t, `2090-06-01T04:00:00Z,2090-06-01,1,coming/.*: sales,.*,Deployment,agent,.*,"running is warned about, restarts are warned about",`, a.Stdout)
	assert.Regexp(t, `2090-06-01T04:00:00Z,2090-06-01,1,coming/.*: sales,.*,Pod,bare,.*,"running is warned about, restarts are refused",`, a.Stdout)
	assert.Regexp(t, `2090-07-01T04:00:00Z,2090-07-01,31,coming/.*: updates,.*,Deployment,agent,.*,updates are refused,`, a.Stdout)

	a = embargo(t, stage.Plane.Kubeconfig(), "forecast", "-n", ns, "--as-of", "2090-08-01", "--until", "2090-08-02")
	assert.Equal(t, 0, a.Code, a.Stderr)
	assert.Contains(t, a.Stdout, "Nothing changes after 2090-08-01 and up to 2090-08-02")
}
