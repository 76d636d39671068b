package audit_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"embargo.dev/policies/v1alpha1"
	"embargo.dev/test/installation"
)

// mirror makes the API server's copy of a static Pod, as the kubelet of its node.
func mirror(t *testing.T, ns, node, image string) {
	t.Helper()
	config, err := stage.Plane.UserConfig("system:node:"+node, "system:nodes")
	require.NoError(t, err)
	kubelet, err := kubernetes.NewForConfig(config)
	require.NoError(t, err)
	uid := must(t, "get", "node", node, "-o", "jsonpath={.metadata.uid}")
	controls := true
	_, err = kubelet.CoreV1().Pods(ns).Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: "av-" + node, Annotations: map[string]string{corev1.MirrorPodAnnotationKey: "abc", "kubernetes.io/config.hash": "abc", "kubernetes.io/config.source": "file"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: node, UID: types.UID(uid), Controller: &controls}},
		},
		Spec: corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{Name: "c", Image: image}}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
}

// soon is an instant that a test can wait for.
func soon(in time.Duration) time.Time { return time.Now().Add(in).UTC().Truncate(time.Second) }

// within is how late a report may be.
const within = 2 * time.Second

// written returns when a report became as it should be, as near as asking can tell.
func written(t *testing.T, ns, name string, is func(*v1alpha1.VendorReport) bool) time.Time {
	t.Helper()
	await(t, ns, name, is)
	return time.Now()
}

func TestAChangeIsReportedWithinTwoSeconds(t *testing.T) {
	ns := namespace(t)
	vendor(t, "quick", allowed)
	must(t, "-n", ns, "run", "first", "--image=registry.quick.example/agent:1")
	vendor(t, "quick", prohibited)
	await(t, ns, "quick", func(r *v1alpha1.VendorReport) bool { return r.Summary.Workloads == 1 })
	apply(t, fmt.Sprintf("apiVersion: embargo.dev/v1alpha1\nkind: VendorWaiver\nmetadata: {name: quick}\nspec: {vendor: quick, namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %s}}, images: ['registry.quick.example/agent:2'], expires: '2098-01-01T00:00:00Z', reason: r, approvedBy: a}\n", ns))
	t.Cleanup(func() { must(t, "delete", "vendorwaiver", "quick") })
	require.Eventually(t, func() bool {
		_, err := kubectl(t, "-n", ns, "run", "probe", "--dry-run=server", "--image=registry.quick.example/agent:2")
		return err == nil
	}, 10*time.Second, 100*time.Millisecond)
	began := time.Now()
	must(t, "-n", ns, "run", "second", "--image=registry.quick.example/agent:2")
	at := written(t, ns, "quick", func(r *v1alpha1.VendorReport) bool { return r.Summary.Workloads == 2 })
	t.Logf("a new Pod was reported after %s", at.Sub(began))
	assert.Less(t, at.Sub(began), within+time.Second, "kubectl run included")
	require.Eventually(t, func() bool {
		return must(t, "get", "vw", "quick", "-o", "jsonpath={.status.findings}") == "1"
	}, 5*time.Second, 100*time.Millisecond)
}

func TestAWaiverExpiresInTheReport(t *testing.T) {
	ns := namespace(t)
	vendor(t, "expiring", allowed)
	must(t, "-n", ns, "run", "p", "--image=registry.expiring.example/agent:1")
	vendor(t, "expiring", prohibited)
	expires := soon(8 * time.Second)
	apply(t, fmt.Sprintf("apiVersion: embargo.dev/v1alpha1\nkind: VendorWaiver\nmetadata: {name: expiring}\nspec: {vendor: expiring, namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %s}}, images: ['registry.expiring.example/**'], expires: %q, reason: r, approvedBy: a}\n", ns, expires.Format(time.RFC3339)))
	t.Cleanup(func() { must(t, "delete", "vendorwaiver", "expiring") })
	r := await(t, ns, "expiring", func(r *v1alpha1.VendorReport) bool { return len(r.Findings) == 1 && r.Findings[0].Waiver == "expiring" })
	assert.Equal(t, v1alpha1.ActionAudit, r.Findings[0].Action)
	at := written(t, ns, "expiring", func(r *v1alpha1.VendorReport) bool { return r.Findings[0].Waiver == "" })
	t.Logf("reported %s after it expired", at.Sub(expires))
	assert.False(t, at.Before(expires))
	assert.Less(t, at.Sub(expires), within)
	assert.Equal(t, v1alpha1.ActionWarn, report(t, ns, "expiring").Summary.Action)
}

func TestAPhaseBeginsInTheReport(t *testing.T) {
	ns := namespace(t)
	begins := soon(8 * time.Second)
	vendor(t, "beginning", fmt.Sprintf(`{phase: announced, effective: "2020-01-01", introduce: Warn, update: Warn, continue: Audit}, {phase: stopped, effective: %q, introduce: Deny, update: Deny, continue: Warn}`, begins.Format(time.RFC3339)))
	must(t, "-n", ns, "create", "deployment", "agent", "--image=registry.beginning.example/agent:1")
	r := await(t, ns, "beginning", func(r *v1alpha1.VendorReport) bool { return len(r.Findings) == 1 })
	assert.Equal(t, "announced", r.Summary.Phase)
	assert.Equal(t, "stopped", r.Summary.Next)
	at := written(t, ns, "beginning", func(r *v1alpha1.VendorReport) bool { return r.Summary.Phase == "stopped" })
	t.Logf("reported %s after it began", at.Sub(begins))
	assert.False(t, at.Before(begins))
	assert.Less(t, at.Sub(begins), within)
	assert.Zero(t, report(t, ns, "beginning").Summary.ArrivedAfterBan, "it was there before")
	reasons := func() string {
		return must(t, "-n", ns, "get", "events", "--field-selector=involvedObject.name=agent,reportingComponent=embargo", "-o", "jsonpath={.items[*].reason}")
	}
	all := []string{"PhaseBegan", "PhaseNear", "RestrictedImage"} // one for each thing to tell
	require.Eventually(t, func() bool {
		return slices.Equal(slices.Sorted(slices.Values(strings.Fields(reasons()))), all)
	}, 10*time.Second, 200*time.Millisecond, "the Deployment has events")
}

// TestNothingIsLostWhenTheLeaderIsKilled kills it while it audits, and restarts the API
// server too.
func TestNothingIsLostWhenTheLeaderIsKilled(t *testing.T) {
	ns := namespace(t)
	vendor(t, "killed", allowed)
	must(t, "-n", ns, "create", "deployment", "agent", "--image=registry.killed.example/agent:1")
	must(t, "-n", ns, "create", "cronjob", "nightly", "--image=registry.killed.example/agent:1", "--schedule=0 0 1 1 *")
	vendor(t, "killed", prohibited)
	before := await(t, ns, "killed", func(r *v1alpha1.VendorReport) bool { return len(r.Findings) == 2 })
	must(t, "-n", ns, "create", "deployment", "web", "--image=nginx", "--replicas=20")
	require.NoError(t, replica().Kill())
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	require.NoError(t, stage.Plane.RestartAPIServer(ctx))
	must(t, "-n", ns, "scale", "deployment", "agent", "--replicas=2")
	require.NoError(t, stage.Start(ctx))
	require.NoError(t, installation.AwaitRegistered(ctx, stage.Plane))
	after := awaitFor(t, 2*time.Minute, ns, "killed", func(r *v1alpha1.VendorReport) bool {
		return len(r.Findings) == 2 && r.Findings[0].Pods+r.Findings[1].Pods == 2
	})
	assert.Empty(t, after.Resolved)
	for i := range after.Findings {
		assert.Equal(t, before.Findings[i].Since, after.Findings[i].Since)
		assert.Equal(t, before.Findings[i].SinceFrom, after.Findings[i].SinceFrom)
		assert.Equal(t, before.Findings[i].Workload, after.Findings[i].Workload)
	}
	awaitControllers(t)
}
