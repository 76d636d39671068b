package lifecycle_test

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

	"embargo.dev/policies/v1alpha1"
	"embargo.dev/test/controlplane"
	"embargo.dev/test/installation"
)

const acme = `
apiVersion: embargo.dev/v1alpha1
kind: RestrictedVendor
metadata: {name: acme}
spec:
  displayName: Acme
  images: {repositories: [{pattern: "registry.acme.example/**"}]}
  restrictions:
    - name: us-test
      authority: the tests
      citations: [{title: Order 1, url: "https://example.com/1"}]
      audience: us-persons
      timeZone: America/New_York
      schedule:
        - {phase: announced, effective: "2020-01-01", summary: a ban is announced, introduce: Warn, update: Warn, continue: Warn}
        - {phase: prohibited, effective: "BAN", summary: use is prohibited, introduce: Deny, update: Deny, continue: Warn}
`

// restorers are a user who may create reports and one who may import them too.
const restorers = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: creator}
rules: [{apiGroups: [embargo.dev], resources: [vendorreports], verbs: [create, get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: importer}
rules: [{apiGroups: [embargo.dev], resources: [vendorreports], verbs: [create, get, import]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: creator}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: creator}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: creator}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: importer}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: importer}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: importer}]
`

// cluster is a control plane whose controller has its service account's rights.
type cluster struct {
	*stage

	dir string
}

func newPlane(t *testing.T) *cluster {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	c := &cluster{stage: &stage{}, dir: t.TempDir()}
	var err error
	c.plane, err = controlplane.Start(ctx, controlplane.Options{ControllerManager: true, Progress: os.Stderr})
	require.NoError(t, err)
	require.NoError(t, installation.Prepare(ctx, c.plane, root))
	c.log, err = os.Create(filepath.Join(c.dir, "log"))
	require.NoError(t, err)
	return c
}

// install starts the controller and waits until it is asked.
func (c *cluster) install(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	kubeconfig, err := installation.Kubeconfig(ctx, c.plane, c.dir)
	require.NoError(t, err)
	c.replica, err = installation.Start(c.plane, binary, kubeconfig, c.log)
	require.NoError(t, err)
	require.NoError(t, c.replica.AwaitReady(ctx))
	require.NoError(t, installation.AwaitRegistered(ctx, c.plane))
}

func (c *cluster) remove(t *testing.T) {
	t.Helper()
	if c.replica != nil {
		require.NoError(t, c.replica.Stop())
	}
	assert.NoError(t, c.plane.Stop())
}

// create creates a manifest as a user; "" is the cluster's administrator.
func (c *cluster) create(t *testing.T, user, manifest string) (string, error) {
	t.Helper()
	args := []string{"create", "-f", "-"}
	if user != "" {
		args = append(args, "--as="+user)
	}
	cmd := c.plane.Kubectl(t.Context(), args...)
	cmd.Stdin = strings.NewReader(manifest)
	output, err := cmd.CombinedOutput()
	return string(output), err
}

func (c *cluster) restore(t *testing.T, manifest string) {
	t.Helper()
	output, err := c.create(t, "", manifest)
	require.NoError(t, err, output)
}

func (c *cluster) awaitReport(t *testing.T, namespace string, is func(*v1alpha1.VendorReport) bool) *v1alpha1.VendorReport {
	t.Helper()
	var report *v1alpha1.VendorReport
	poll(t, time.Minute, func() bool {
		output, err := c.plane.Kubectl(t.Context(), "-n", namespace, "get", "vr", "acme", "-o", "json").Output()
		report = &v1alpha1.VendorReport{}
		return err == nil && json.Unmarshal(output, report) == nil && is(report)
	})
	return report
}

// backUp makes a cluster with a finding and a resolved one, from before a ban, and returns what
// kubectl prints of its rules, reports and workloads.
func backUp(t *testing.T) (rules, reports, workloads string, report *v1alpha1.VendorReport) {
	t.Helper()
	c := newPlane(t)
	defer c.remove(t)
	c.install(t)
	c.applyFile(t, strings.Replace(acme, "BAN", "2099-01-01", 1))
	c.kubectl(t, "create", "namespace", "mail")
	c.kubectl(t, "-n", "mail", "create", "deployment", "kept", "--image=registry.acme.example/agent:1")
	c.kubectl(t, "-n", "mail", "create", "deployment", "gone", "--image=registry.acme.example/agent:1")
	c.awaitReport(t, "mail", func(r *v1alpha1.VendorReport) bool {
		return len(r.Findings) == 2 && r.Findings[0].SinceFrom == v1alpha1.SinceReplicaSet && r.Findings[1].SinceFrom == v1alpha1.SinceReplicaSet
	})
	c.kubectl(t, "-n", "mail", "delete", "deployment", "gone")
	ban := time.Now().UTC().Format(time.RFC3339)
	c.applyFile(t, strings.Replace(acme, "BAN", ban, 1))
	report = c.awaitReport(t, "mail", func(r *v1alpha1.VendorReport) bool {
		return len(r.Findings) == 1 && len(r.Resolved) == 1 && r.Findings[0].Phase == "prohibited"
	})
	require.False(t, report.Findings[0].ArrivedAfterBan)
	return c.kubectl(t, "get", "rv,vp,vw", "-o", "yaml"), c.kubectl(t, "-n", "mail", "get", "vr", "-o", "yaml"),
		c.kubectl(t, "-n", "mail", "get", "deployments", "-o", "yaml"), report
}

// TestReportsAreRestoredFromABackup takes them to a new control plane, as kubectl prints
// them, and starts the controller there.
func TestReportsAreRestoredFromABackup(t *testing.T) {
	t.Parallel() // it mostly waits
	rules, reports, workloads, before := backUp(t)

	c := newPlane(t)
	defer c.remove(t)
	c.kubectl(t, "create", "namespace", "mail")
	for _, manifest := range []string{rules, reports, workloads} {
		c.restore(t, manifest)
	}
	c.install(t)
	after := c.awaitReport(t, "mail", func(r *v1alpha1.VendorReport) bool {
		return r.NamespaceUID != before.NamespaceUID && len(r.Findings) == 1
	})
	found, was := after.Findings[0], before.Findings[0]
	assert.NotEqual(t, was.Workload.UID, found.Workload.UID)
	assert.Equal(t, was.Since, found.Since)
	assert.Equal(t, was.SinceFrom, found.SinceFrom)
	assert.True(t, found.Imported)
	assert.False(t, found.ArrivedAfterBan, "the workload was made again after the ban, and isn't accused")
	require.Len(t, after.Resolved, 1)
	resolved := before.Resolved[0]
	resolved.Imported = true
	assert.Equal(t, resolved, after.Resolved[0])
	assert.Equal(t, before.EvaluatedAt, after.Imported.EvaluatedAt)

	t.Run("with the right to import alone", func(t *testing.T) { c.importsNeedTheirRight(t, reports) })
}

// importsNeedTheirRight restores the reports into another namespace while the controller runs.
func (c *cluster) importsNeedTheirRight(t *testing.T, reports string) {
	t.Helper()
	c.applyFile(t, restorers)
	c.kubectl(t, "create", "namespace", "other")
	reports = strings.ReplaceAll(reports, "namespace: mail", "namespace: other")
	marked := strings.ReplaceAll(reports, "\n  metadata:\n", "\n  metadata:\n    annotations: {embargo.dev/import: \"true\"}\n")
	require.NotEqual(t, reports, marked)
	for user, manifest := range map[string]string{"creator": marked, "importer": reports, "": reports} {
		output, err := c.create(t, user, manifest)
		require.Error(t, err, "%q creates a report that %v", user, manifest == marked)
		assert.Contains(t, output, "have the verb import on vendorreports.embargo.dev and annotate it with embargo.dev/import")
	}
	reports = marked

	was := c.kubectl(t, "-n", "mail", "get", "vr", "acme", "-o", "jsonpath={.namespaceUID}")
	uid := c.kubectl(t, "get", "namespace", "other", "-o", "jsonpath={.metadata.uid}")
	require.NotEqual(t, was, uid)
	var lines []string
	for line := range strings.SplitSeq(reports, "\n") {
		if key, _, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "namespaceUID" {
			line = key + ": " + uid
		}
		lines = append(lines, line)
	}
	output, err := c.create(t, "importer", strings.Join(lines, "\n"))
	require.Error(t, err, "it would look like the audit's own")
	assert.Contains(t, output, "namespaceUID: Invalid value")

	poll(t, 30*time.Second, func() bool { output, err = c.create(t, "importer", reports); return err == nil })
	report := c.awaitReport(t, "other", func(r *v1alpha1.VendorReport) bool { return r.NamespaceUID == uid })
	assert.EqualValues(t, 1, report.Imported.Awaited, "the workload may be restored yet")
	assert.Len(t, report.Resolved, 1)
	output, err = c.try(t, "-n", "other", "annotate", "vr", "acme", "a=b")
	require.Error(t, err, "nobody changes it then")
	assert.Contains(t, output, "written by Embargo's audit alone")
	content, err := os.ReadFile(c.log.Name())
	require.NoError(t, err)
	assert.Contains(t, string(content), "a report is imported")
}
