package admission_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"embargo.dev/policies/v1alpha1"
)

// vendor is a RestrictedVendor whose registry is its name's, and whose phases are
// given as YAML.
func vendor(name, phases string) string {
	return fmt.Sprintf(`
apiVersion: embargo.dev/v1alpha1
kind: RestrictedVendor
metadata: {name: %[1]s}
spec:
  displayName: %[1]s
  images: {repositories: [{pattern: "registry.%[1]s.example/**"}]}
  restrictions:
    - name: us-test
      authority: the tests
      citations: [{title: Order 1, url: "https://example.com/1"}]
      audience: us-persons
      timeZone: America/New_York
      schedule: [%[2]s]
`, name, phases)
}

const (
	allowed    = `{phase: free, effective: "2020-01-01", introduce: Allow, update: Allow, continue: Allow}`
	prohibited = `{phase: prohibited, effective: "2020-01-01", summary: use is prohibited, introduce: Deny, update: Deny, continue: Warn}`
	fullStop   = `{phase: prohibited, effective: "2020-01-01", summary: use is prohibited, introduce: Deny, update: Deny, continue: Deny}`
)

// restrict applies a vendor and waits until its rule set is in force on every replica.
func restrict(t *testing.T, manifest string) {
	t.Helper()
	apply(t, manifest)
	settle(t)
}

// settle waits until all replicas have the rule set of the cluster as it is now, of which
// each tells the digest, and until the API server asks about all of it: Enforced.
func settle(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		digests := map[string]bool{}
		for _, r := range stage.Replicas {
			digests[metricLabel(t, r.Metrics, "embargo_rule_set_info", "digest")] = true
		}
		want := exportedDigest(t)
		return len(digests) == 1 && digests[want] && enforced(t)
	}, 20*time.Second, 50*time.Millisecond, "the rule set is in force on every replica, and asked about")
}

// enforced reports whether each vendor says, of its latest spec, that it is enforced.
func enforced(t *testing.T) bool {
	t.Helper()
	var vendors v1alpha1.RestrictedVendorList
	require.NoError(t, stage.Admin.List(t.Context(), &vendors))
	for i := range vendors.Items {
		c := meta.FindStatusCondition(vendors.Items[i].Status.Conditions, "Enforced")
		if c == nil || c.Status != metav1.ConditionTrue || c.ObservedGeneration != vendors.Items[i].Generation {
			return false
		}
	}
	return true
}

func TestWhatRanBeforeGoesOn(t *testing.T) {
	ns := namespace(t)
	restrict(t, vendor("goeson", allowed))
	must(t, "-n", ns, "create", "deployment", "agent", "--image=registry.goeson.example/agent:1", "--replicas=1")
	apply(t, strings.Replace(fmt.Sprintf(kinds["CronJob"], podSpec("container", "CronJob", "registry.goeson.example/agent:1")), "name: x", "name: nightly, namespace: "+ns, 1))
	awaitPods(t, ns, "app=agent", 1)
	restrict(t, vendor("goeson", prohibited))

	must(t, "-n", ns, "scale", "deployment", "agent", "--replicas=3")
	awaitPods(t, ns, "app=agent", 3)
	assert.Contains(t, must(t, "-n", ns, "label", "deployment", "agent", "tier=two"), "Warning")
	assert.Contains(t, must(t, "-n", ns, "rollout", "restart", "deployment", "agent"), "Warning")
	must(t, "-n", ns, "scale", "deployment", "agent", "--replicas=0")
	awaitPods(t, ns, "app=agent", 0)
	must(t, "-n", ns, "scale", "deployment", "agent", "--replicas=2")
	awaitPods(t, ns, "app=agent", 2)
	must(t, "-n", ns, "delete", "pods", "-l", "app=agent", "--wait=false")
	awaitPods(t, ns, "app=agent", 2)
	must(t, "-n", ns, "create", "job", "now", "--from=cronjob/nightly")
	awaitPods(t, ns, "job-name=now", 1)

	for _, refused := range [][]string{
		{"set", "image", "deployment/agent", "agent=registry.goeson.example/agent:2"},
		{"create", "deployment", "second", "--image=registry.goeson.example/agent:1"},
		{"run", "loose", "--image=registry.goeson.example/agent:1"},
	} {
		output, err := kubectl(t, append([]string{"-n", ns}, refused...)...)
		require.Error(t, err, output)
		assert.Contains(t, output, "refused by cluster policy: use is prohibited (since 2020-01-01, Order 1)")
	}
	must(t, "-n", ns, "delete", "deployment", "agent")
	output, err := kubectl(t, "-n", ns, "create", "deployment", "agent", "--image=registry.goeson.example/agent:1")
	require.Error(t, err, "delete and create again is Introduce")
	assert.Contains(t, output, "VendorWaiver")
}

func TestContinueDenyStopsChildrenOnly(t *testing.T) {
	ns := namespace(t)
	restrict(t, vendor("fullstop", allowed))
	must(t, "-n", ns, "create", "deployment", "agent", "--image=registry.fullstop.example/agent:1", "--replicas=1")
	awaitPods(t, ns, "app=agent", 1)
	restrict(t, vendor("fullstop", fullStop))
	must(t, "-n", ns, "label", "deployment", "agent", "a=b")
	must(t, "-n", ns, "delete", "pods", "-l", "app=agent", "--wait=false")
	require.Eventually(t, func() bool {
		output := must(t, "-n", ns, "get", "events", "--field-selector=reason=FailedCreate", "-o", "jsonpath={.items[*].message}")
		return strings.Contains(output, "refused by cluster policy")
	}, 20*time.Second, 200*time.Millisecond, "the ReplicaSet's event says why")
	must(t, "-n", ns, "delete", "deployment", "agent")
}

func TestForgedOwnersAndMirrorPods(t *testing.T) {
	ns := namespace(t)
	restrict(t, vendor("forged", prohibited))
	must(t, "-n", ns, "create", "deployment", "clean", "--image=nginx")
	must(t, "-n", ns, "create", "configmap", "text", "--from-literal=image=registry.forged.example/agent:1")
	for _, owner := range []string{"deployment/clean", "configmap/text"} {
		fields := strings.Fields(must(t, "-n", ns, "get", owner, "-o", "jsonpath={.apiVersion} {.kind} {.metadata.name} {.metadata.uid}"))
		pod := fmt.Sprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: child, namespace: %s, ownerReferences: [{apiVersion: %s, kind: %s, name: %s, uid: %s, controller: true}]}\nspec: {containers: [{name: c, image: registry.forged.example/agent:1}]}",
			ns, fields[0], fields[1], fields[2], fields[3])
		output, err := kubectlWith(t, pod, "apply", "-f", "-")
		require.Error(t, err, output)
		assert.Contains(t, output, "refused by cluster policy", owner)
	}
	mirror := fmt.Sprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: mirror, namespace: %s, annotations: {kubernetes.io/config.mirror: abc}}\nspec: {nodeName: node-1, containers: [{name: c, image: registry.forged.example/agent:1}]}", ns)
	output, err := kubectlWith(t, mirror, "apply", "-f", "-")
	require.Error(t, err, output)
	assert.Contains(t, output, "refused by cluster policy")
}

func TestWaiver(t *testing.T) {
	ns := namespace(t)
	restrict(t, vendor("waived", prohibited))
	expires := time.Now().Add(6 * time.Second).UTC().Truncate(time.Second)
	apply(t, fmt.Sprintf(`
apiVersion: embargo.dev/v1alpha1
kind: VendorWaiver
metadata: {name: waived}
spec:
  vendor: waived
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %s}}
  images: ["registry.waived.example/agent:1"]
  expires: %q
  reason: being replaced
  approvedBy: the security office
`, ns, expires.Format(time.RFC3339)))
	settle(t)
	assert.Contains(t, must(t, "-n", ns, "run", "covered", "--image=registry.waived.example/agent:1"), `allowed by waiver "waived"`)
	output, err := kubectl(t, "-n", ns, "run", "another", "--image=registry.waived.example/agent:2")
	require.Error(t, err, output)
	time.Sleep(time.Until(expires))
	output, err = kubectl(t, "-n", ns, "run", "late", "--image=registry.waived.example/agent:1")
	require.Error(t, err, output)
	assert.Contains(t, output, `waiver "waived" expired on`)
	require.Eventually(t, func() bool {
		return must(t, "get", "vendorwaiver", "waived", "-o", `jsonpath={.status.conditions[?(@.type=="Expired")].status}`) == "True"
	}, 5*time.Second, 100*time.Millisecond, "the status follows by a timer")
}

func awaitPods(t *testing.T, ns, selector string, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		output, err := kubectl(t, "-n", ns, "get", "pods", "-l", selector, "-o", "name")
		return err == nil && len(strings.Fields(output)) == n && !strings.Contains(output, "No resources")
	}, 30*time.Second, 200*time.Millisecond, "%d Pods of %s", n, selector)
}
