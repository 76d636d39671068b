package audit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"embargo.dev/policies/v1alpha1"
)

// TestTheOfficersQuestionIsAnswered makes workloads of several kinds while that is
// allowed, then restricts their vendor.
func TestTheOfficersQuestionIsAnswered(t *testing.T) {
	ns := namespace(t)
	vendor(t, "officer", allowed)
	const image = "registry.officer.example/agent:1"
	must(t, "-n", ns, "create", "deployment", "agent", "--image="+image, "--replicas=3")
	must(t, "-n", ns, "create", "cronjob", "nightly", "--image="+image, "--schedule=0 0 1 1 *")
	must(t, "-n", ns, "create", "job", "now", "--from=cronjob/nightly")
	must(t, "-n", ns, "create", "deployment", "web", "--image=nginx")
	require.Eventually(t, func() bool {
		return len(strings.Fields(must(t, "-n", ns, "get", "pods", "-l", "app=agent", "-o", "name"))) == 3
	}, 20*time.Second, 100*time.Millisecond)
	vendor(t, "officer", prohibited)

	r := await(t, ns, "officer", func(r *v1alpha1.VendorReport) bool { return r.Summary.Workloads == 2 })
	byKind := map[string]v1alpha1.ReportedFinding{}
	for _, f := range r.Findings {
		byKind[f.Workload.Kind] = f
	}
	assert.Len(t, r.Findings, 2, "a Deployment with three Pods is one workload, and so is a CronJob with its Job")
	assert.EqualValues(t, 3, byKind["Deployment"].Pods)
	assert.Equal(t, v1alpha1.SinceReplicaSet, byKind["Deployment"].SinceFrom)
}

// TestKubectlGetAnswers reads the columns as people do.
func TestKubectlGetAnswers(t *testing.T) {
	ns := namespace(t)
	vendor(t, "columns", `{phase: announced, effective: "2020-01-01", introduce: Warn, update: Warn, continue: Audit}, {phase: stopped, effective: "2099-09-29", introduce: Deny, update: Deny, continue: Warn}`)
	must(t, "-n", ns, "run", "a", "--image=registry.columns.example/agent:1")
	must(t, "-n", ns, "run", "b", "--image=registry.columns.example/agent:2")
	await(t, ns, "columns", func(r *v1alpha1.VendorReport) bool { return r.Summary.Workloads == 2 })
	lines := strings.Split(must(t, "get", "vr", "-A", "--field-selector=metadata.namespace="+ns), "\n")
	assert.Equal(t, []string{"NAMESPACE", "NAME", "WORKLOADS", "IMAGES", "ACTION", "PHASE", "NEXT", "NEXT-ON", "SINCE"}, strings.Fields(lines[0]))
	assert.Regexp(t, `^kubectlgetanswers +columns +2 +2 +Audit +announced +stopped +2099-09-29 +\d+s *$`, lines[1])
	require.Eventually(t, func() bool {
		return strings.Join(strings.Fields(must(t, "get", "rv", "columns", "--no-headers")), " ") == "columns 1 us-test announced stopped 2099-09-29 2 1"
	}, 5*time.Second, 100*time.Millisecond)
}

// TestAVendorThatNothingIsFoundOfSaysSo in the columns, and in an audit by the command line.
func TestAVendorThatNothingIsFoundOfSaysSo(t *testing.T) {
	for name, spec := range map[string]string{
		"faceless": "images: {}, restrictions: [{audience: us-persons,",
		"foreign":  `images: {repositories: [{pattern: "registry.foreign.example/**"}]}, restrictions: [{audience: uk-government,`,
	} {
		apply(t, fmt.Sprintf(`{apiVersion: embargo.dev/v1alpha1, kind: RestrictedVendor, metadata: {name: %[1]s}, spec: {displayName: %[1]s, %[2]s name: r, authority: the tests,
  citations: [{title: Order 1, url: "https://example.com/1"}], timeZone: UTC, schedule: [%[3]s]}]}}`, name, spec, prohibited))
		t.Cleanup(func() { must(t, "delete", "restrictedvendor", name) })
	}
	for name, reason := range map[string]string{"faceless": "NoImages", "foreign": "NotApplied"} {
		require.Eventually(t, func() bool {
			columns := strings.Fields(must(t, "get", "rv", name, "--no-headers", "-o", "wide"))
			return strings.Join(columns, " ") == fmt.Sprintf("%s 1 r prohibited %s %s", name, reason, reason)
		}, 10*time.Second, 100*time.Millisecond, reason)
	}
	r, a := runAudit(t, stage.Plane.Kubeconfig(), "-A")
	assert.Regexp(t, `notice: .* nothing on the list recognises their images: .*\bfaceless\b`, a.Stderr)
	assert.Regexp(t, `notice: .* no VendorPolicy applies a restriction of theirs: .*\bforeign\b`, a.Stderr)
	assert.Len(t, r.Notices, strings.Count(a.Stderr, "notice: "))
}

// TestOddTextsAreReadAsYAML has Pods with characters that YAML can't hold, which the API server
// takes.
func TestOddTextsAreReadAsYAML(t *testing.T) {
	ns := namespace(t)
	vendor(t, "oddtext", allowed)
	for i, odd := range []string{`\u007f`, `\u0085`, `\ufffe`} {
		apply(t, fmt.Sprintf(`{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "odd-%d", "namespace": %q}, "spec": {"containers": [{"name": "c", "image": "busybox%sx"}]}}`, i, ns, odd))
	}
	r := await(t, ns, v1alpha1.UnreadableImages, func(r *v1alpha1.VendorReport) bool { return len(r.Findings) == 3 })
	assert.Equal(t, `"busybox\u007fx"`, r.Findings[0].Image)
	var list v1alpha1.VendorReportList
	require.NoError(t, yaml.Unmarshal([]byte(must(t, "-n", ns, "get", "vr", "-o", "yaml")), &list))
	require.Len(t, list.Items, 1)
	assert.Equal(t, r.Findings, list.Items[0].Findings)
	must(t, "-n", ns, "get", "events", "-o", "yaml")
}

// TestPodTemplatesInCustomResourcesAreAudited adds a custom resource with a pod template
// while Embargo runs. What it may read is widened by aggregation; until then the policies
// say what isn't read.
func TestPodTemplatesInCustomResourcesAreAudited(t *testing.T) {
	ns := namespace(t)
	vendor(t, "custom", allowed)
	apply(t, `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.audit.example.com}
spec:
  group: audit.example.com
  names: {plural: gadgets, singular: gadget, kind: Gadget, listKind: GadgetList}
  scope: Namespaced
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, x-kubernetes-preserve-unknown-fields: true}}}}}
`)
	t.Cleanup(func() {
		must(t, "delete", "crd", "gadgets.audit.example.com")
		must(t, "delete", "clusterrole", "gadget-view", "--ignore-not-found")
	})
	must(t, "wait", "--for=condition=Established", "--timeout=30s", "crd/gadgets.audit.example.com")
	apply(t, "apiVersion: audit.example.com/v1\nkind: Gadget\nmetadata: {name: g, namespace: "+ns+"}\nspec: {template: {spec: {containers: [{name: c, image: registry.custom.example/agent:1}]}}}\n")
	vendor(t, "custom", prohibited)
	audited := func() string {
		return must(t, "get", "vendorpolicy", "default", "-o", `jsonpath={.status.conditions[?(@.type=="Audited")].status} {.status.conditions[?(@.type=="Audited")].message}`)
	}
	require.Eventually(t, func() bool { return strings.HasPrefix(audited(), "False") }, 10*time.Second, 100*time.Millisecond)
	assert.Contains(t, audited(), "gadgets.audit.example.com")
	apply(t, `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: gadget-view, labels: {rbac.authorization.k8s.io/aggregate-to-view: "true"}}
rules: [{apiGroups: [audit.example.com], resources: [gadgets], verbs: [get, list, watch]}]
`)
	require.Eventually(t, func() bool { return strings.HasPrefix(audited(), "True") }, 30*time.Second, 100*time.Millisecond)
	r := await(t, ns, "custom", func(r *v1alpha1.VendorReport) bool { return r.Summary.Workloads == 1 })
	assert.Equal(t, "Gadget", r.Findings[0].Workload.Kind)
	assert.Equal(t, "spec.template.spec.containers[0].image", r.Findings[0].Field)
	require.Eventually(t, func() bool { // the command line learns of the kind from the policies' status
		live, _ := runAudit(t, stage.Plane.Kubeconfig(), "-n", ns)
		return slices.ContainsFunc(live.Findings, func(f running) bool { return f.Kind == "Gadget" && f.Vendor == "custom" })
	}, 20*time.Second, 200*time.Millisecond)
	must(t, "-n", ns, "delete", "gadget", "g")
	await(t, ns, "custom", func(r *v1alpha1.VendorReport) bool { return r.Summary.Workloads == 0 && len(r.Resolved) == 1 })
}

// TestWhatRunsIsReadFromStatus has a Pod run a listed digest under a foreign name, and a
// node know a copy by both its names.
func TestWhatRunsIsReadFromStatus(t *testing.T) {
	ns := namespace(t)
	vendor(t, "status", prohibited)
	must(t, "-n", ns, "run", "digest", "--image=harbor.status.example/tools/x:1")
	must(t, "-n", ns, "run", "copy", "--image=harbor.status.example/tools/y:1")
	runs := func(pod, repository, digest string) {
		must(t, "-n", ns, "patch", "pod", pod, "--subresource=status", "--type=merge", "-p",
			`{"status":{"phase":"Running","containerStatuses":[{"name":"`+pod+`","ready":true,"restartCount":0,"image":"`+repository+`:1","imageID":"`+repository+`@`+digest+`"}]}}`)
	}
	runs("digest", "harbor.status.example/tools/x", listed)
	copied := "sha256:" + strings.Repeat("cd", 32)
	runs("copy", "harbor.status.example/tools/y", copied)
	apply(t, "apiVersion: v1\nkind: Node\nmetadata: {name: status-node}\n")
	t.Cleanup(func() { must(t, "delete", "node", "status-node") })
	must(t, "patch", "node", "status-node", "--subresource=status", "--type=merge", "-p",
		`{"status":{"images":[{"names":["harbor.status.example/tools/y@`+copied+`","harbor.status.example/tools/y:1","registry.status.example/agent:1"]}]}}`)
	r := await(t, ns, "status", func(r *v1alpha1.VendorReport) bool { return r.Summary.Workloads == 2 })
	for _, f := range r.Findings {
		assert.Equal(t, v1alpha1.AdmissionCouldNotSee, f.Admission)
		assert.NotEmpty(t, f.AlsoNamed)
		assert.NotEmpty(t, f.Remark)
		assert.Len(t, f.Digests, 1)
	}
	live, a := runAudit(t, stage.Plane.Kubeconfig(), "-n", ns)
	assert.Len(t, live.of("status"), 2, a.Stderr)

	must(t, "-n", ns, "delete", "pod", "copy", "--force")
	runs("digest", "harbor.status.example/tools/x", "sha256:"+strings.Repeat("ef", 32))
	await(t, ns, "status", func(r *v1alpha1.VendorReport) bool { return r.Summary.Workloads == 0 && len(r.Resolved) == 2 })
}

// TestAConfigDigestIsReadFromStatus has Pods run a listed digest that their runtimes tell as
// CRI-O does: it is of the image's configuration, without a repository.
func TestAConfigDigestIsReadFromStatus(t *testing.T) {
	ns := namespace(t)
	vendor(t, "config", prohibited)
	for pod, id := range map[string]string{"digits": strings.TrimPrefix(listed, "sha256:"), "digest": listed} {
		must(t, "-n", ns, "run", pod, "--image=harbor.config.example/tools/x:1")
		must(t, "-n", ns, "patch", "pod", pod, "--subresource=status", "--type=merge", "-p",
			`{"status":{"phase":"Running","containerStatuses":[{"name":"`+pod+`","ready":true,"restartCount":0,"image":"harbor.config.example/tools/x:1","imageID":"`+id+`"}]}}`)
	}
	r := await(t, ns, "config", func(r *v1alpha1.VendorReport) bool { return r.Summary.Workloads == 2 })
	for _, f := range r.Findings {
		assert.Equal(t, "Digest", f.Evidence)
		assert.Equal(t, v1alpha1.AdmissionCouldNotSee, f.Admission)
		assert.Equal(t, []string{listed}, f.Digests)
		assert.Equal(t, f.Digests, f.ConfigDigests)
	}
	live, a := runAudit(t, stage.Plane.Kubeconfig(), "-n", ns)
	assert.Len(t, live.of("config"), 2, a.Stderr)
}

// TestATagThatMovesIsReportedAsAnUpdate has the digest behind a tag change.
func TestATagThatMovesIsReportedAsAnUpdate(t *testing.T) {
	ns := namespace(t)
	vendor(t, "moves", allowed)
	must(t, "-n", ns, "run", "p", "--image=registry.moves.example/agent:1")
	runs := func(digit string) {
		must(t, "-n", ns, "patch", "pod", "p", "--subresource=status", "--type=merge", "-p",
			`{"status":{"containerStatuses":[{"name":"p","ready":true,"restartCount":0,"image":"registry.moves.example/agent:1","imageID":"registry.moves.example/agent@sha256:`+strings.Repeat(digit, 64)+`"}]}}`)
	}
	runs("1")
	vendor(t, "moves", prohibited)
	await(t, ns, "moves", func(r *v1alpha1.VendorReport) bool { return len(r.Findings) == 1 && r.Findings[0].Use == "Continue" })
	runs("2")
	r := await(t, ns, "moves", func(r *v1alpha1.VendorReport) bool { return r.Findings[0].Use == "Update" })
	assert.Equal(t, v1alpha1.ActionDeny, r.Findings[0].Action)
	assert.Equal(t, "sha256:"+strings.Repeat("1", 64), r.Findings[0].UpdatedFrom)
	assert.Contains(t, r.Findings[0].Remark, "another digest came")
}

// TestAStaticPodIsReported has a kubelet make the copy of its static Pod.
func TestAStaticPodIsReported(t *testing.T) {
	ns := namespace(t)
	vendor(t, "static", prohibited)
	apply(t, "apiVersion: v1\nkind: Node\nmetadata: {name: node-s}\n")
	t.Cleanup(func() { must(t, "delete", "node", "node-s") })
	mirror(t, ns, "node-s", "registry.static.example/agent:1")
	r := await(t, ns, "static", func(r *v1alpha1.VendorReport) bool { return len(r.Findings) == 1 })
	assert.Equal(t, "node-s", r.Findings[0].Node)
	assert.Equal(t, v1alpha1.ReportedWorkload{APIVersion: "v1", Kind: "Pod", Name: "av-node-s", UID: r.Findings[0].Workload.UID}, r.Findings[0].Workload)
	assert.True(t, r.Findings[0].ArrivedAfterBan, "it may have come since, though nobody could refuse it")
}

// TestAReportIsWrittenWhateverAPodSays has one forge an owner that no report may hold, and
// another have more findings than a report lists.
func TestAReportIsWrittenWhateverAPodSays(t *testing.T) {
	ns := namespace(t)
	vendor(t, "odd", allowed)
	long := strings.Repeat("x", 300)
	apply(t, fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata:
  name: forged
  namespace: %[1]s
  ownerReferences: [{apiVersion: %[2]s/v1, kind: %[2]s, name: %[2]s, uid: %[2]s, controller: true}]
spec: {containers: [{name: c, image: "registry.odd.example/agent:1"}]}
`, ns, long))
	var containers []string
	for i := range v1alpha1.MaxReportFindings + 10 {
		containers = append(containers, fmt.Sprintf(`{name: c%d, image: "registry.odd.example/agent:%d"}`, i, i))
	}
	apply(t, fmt.Sprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: many, namespace: %s}\nspec: {containers: [%s]}\n", ns, strings.Join(containers, ",")))
	vendor(t, "odd", prohibited)
	r := await(t, ns, "odd", func(r *v1alpha1.VendorReport) bool {
		return r.Summary.Shown == fmt.Sprintf("%d of %d", v1alpha1.MaxReportFindings, v1alpha1.MaxReportFindings+11)
	})
	assert.NotEmpty(t, r.Annotations["embargo.dev/unlisted"])
	for end := time.After(3 * time.Second); ; {
		require.Equal(t, r.ResourceVersion, report(t, ns, "odd").ResourceVersion, "it is written once")
		select {
		case <-end:
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// TestReportsAreTheAuditsAlone tries to change what the audit writes.
func TestReportsAreTheAuditsAlone(t *testing.T) {
	ns := namespace(t)
	vendor(t, "evidence", allowed)
	must(t, "-n", ns, "run", "p", "--image=registry.evidence.example/agent:1")
	vendor(t, "evidence", prohibited)
	before := await(t, ns, "evidence", func(r *v1alpha1.VendorReport) bool { return len(r.Findings) == 1 })
	output, err := kubectl(t, "-n", ns, "patch", "vr", "evidence", "--type=merge", `-p={"findings":[]}`)
	require.Error(t, err)
	assert.Contains(t, output, "reports are written by Embargo's audit alone")
	must(t, "-n", ns, "delete", "vr", "evidence")
	after := await(t, ns, "evidence", func(r *v1alpha1.VendorReport) bool { return r.UID != before.UID })
	assert.Equal(t, before.Findings, after.Findings, "what somebody deletes comes back")

	must(t, "delete", "restrictedvendor", "evidence")
	require.Eventually(t, func() bool { return report(t, ns, "evidence") == nil }, 20*time.Second, 100*time.Millisecond, "it goes with its vendor")
}
