package admission_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tenant returns kubectl's flags for a user who may do all that a namespace's
// administrator may, in a namespace of its own.
func tenant(t *testing.T, ns string) string {
	t.Helper()
	must(t, "-n", ns, "create", "rolebinding", "tenant", "--clusterrole=admin", "--user=tenant-of-"+ns)
	must(t, "-n", ns, "create", "role", "debug", "--verb=get,patch", "--resource=pods/ephemeralcontainers")
	must(t, "-n", ns, "create", "rolebinding", "debug", "--role=debug", "--user=tenant-of-"+ns)
	flag := as(t, "tenant-of-"+ns)
	require.Eventually(t, func() bool {
		_, err := kubectl(t, flag, "-n", ns, "get", "pods")
		return err == nil
	}, 10*time.Second, 50*time.Millisecond)
	return flag
}

// attempt is a way to bring something in: kubectl's arguments, and what it reads.
type attempt struct {
	args  []string
	stdin string
}

func TestATenantBringsNothingIn(t *testing.T) {
	ns := namespace(t)
	user := tenant(t, ns)
	must(t, user, "-n", ns, "create", "deployment", "web", "--image=nginx")
	must(t, user, "-n", ns, "run", "pod", "--image=nginx")
	pod := fmt.Sprintf(kinds["Pod"], podSpec("container", "Pod", restricted))
	deployment := fmt.Sprintf(kinds["Deployment"], podSpec("container", "Deployment", restricted))
	web := strings.ReplaceAll(must(t, user, "-n", ns, "get", "deployment", "web", "-o", "yaml"), "image: nginx", "image: "+restricted)
	jsonPatch := func(path string) string {
		return `-p=[{"op":"replace","path":"` + path + `","value":"` + restricted + `"}]`
	}
	const merged = `-p={"spec":{"template":{"spec":{"containers":[{"name":"nginx","image":"` + restricted + `"}]}}}}`
	for name, a := range map[string]attempt{
		"create":                    {[]string{"create", "-f", "-"}, pod},
		"create, dry run":           {[]string{"create", "--dry-run=server", "-f", "-"}, pod},
		"create, generated name":    {[]string{"create", "-f", "-"}, strings.Replace(pod, "name: x", "generateName: x-", 1)},
		"apply":                     {[]string{"apply", "-f", "-"}, deployment},
		"server-side apply":         {[]string{"apply", "--server-side", "-f", "-"}, deployment},
		"server-side apply, dry":    {[]string{"apply", "--server-side", "--dry-run=server", "-f", "-"}, deployment},
		"replace":                   {[]string{"replace", "-f", "-"}, web},
		"replace, force":            {[]string{"replace", "--force", "--cascade=orphan", "-f", "-"}, strings.Replace(web, "name: web", "name: web2", 1)},
		"JSON patch":                {[]string{"patch", "deployment", "web", "--type=json", jsonPatch("/spec/template/spec/containers/0/image")}, ""},
		"merge patch":               {[]string{"patch", "deployment", "web", "--type=merge", merged}, ""},
		"strategic patch":           {[]string{"patch", "deployment", "web", "--type=strategic", merged}, ""},
		"patch of a Pod":            {[]string{"patch", "pod", "pod", "--type=json", jsonPatch("/spec/containers/0/image")}, ""},
		"ephemeral container":       {[]string{"debug", "pod", "--image=" + restricted, "--container=dbg"}, ""},
		"ephemeral container, dry":  {[]string{"patch", "pod", "pod", "--subresource=ephemeralcontainers", "--dry-run=server", "--type=strategic", `-p={"spec":{"ephemeralContainers":[{"name":"e","image":"` + restricted + `"}]}}`}, ""},
		"set image":                 {[]string{"set", "image", "deployment/web", "nginx=" + restricted}, ""},
		"job":                       {[]string{"create", "job", "j", "--image=" + restricted}, ""},
		"cron job":                  {[]string{"create", "cronjob", "c", "--image=" + restricted, "--schedule=0 0 1 1 *"}, ""},
		"list":                      {[]string{"create", "-f", "-"}, "apiVersion: v1\nkind: List\nitems:\n- " + strings.ReplaceAll(pod, "\n", "\n  ")},
		"raw create":                {[]string{"create", "--raw", "/api/v1/namespaces/" + ns + "/pods", "-f", "-"}, jsonOf(t, ns, pod)},
		"raw create, field manager": {[]string{"create", "--raw", "/api/v1/namespaces/" + ns + "/pods?fieldManager=x&dryRun=All", "-f", "-"}, jsonOf(t, ns, pod)},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "ephemeral container, dry" {
				stage.Needs(t, 33) // for kubectl
			}
			output, err := kubectlWith(t, a.stdin, append([]string{user, "-n", ns}, a.args...)...)
			require.Error(t, err, output)
			assert.Contains(t, output, "refused by cluster policy")
		})
	}
	everything := must(t, "-n", ns, "get", "pods,deployments,replicasets,jobs,cronjobs", "-o", "yaml")
	assert.NotContains(t, everything, "scanengine")
}

// jsonOf turns a manifest into what the API of a namespace takes.
func jsonOf(t *testing.T, ns, manifest string) string {
	t.Helper()
	output, err := kubectlWith(t, manifest, "-n", ns, "create", "--dry-run=client", "-o", "json", "-f", "-")
	require.NoError(t, err, output)
	return output
}

// TestSubresourcesBringNothingIn tries to write an image through subresources that have
// none, and uses them on a Pod of a restricted image, which must work.
func TestSubresourcesBringNothingIn(t *testing.T) {
	stage.Needs(t, 33) // for pods/resize
	ns := namespace(t)
	user := tenant(t, ns)
	restrict(t, vendor("subresource", allowed))
	const image = "registry.subresource.example/agent:1"
	apply(t, fmt.Sprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: old, namespace: %s}\nspec: {containers: [{name: old, image: %q, resources: {requests: {cpu: 2m}}}]}\n", ns, image))
	must(t, "-n", ns, "create", "deployment", "old", "--image="+image, "--replicas=0")
	must(t, user, "-n", ns, "run", "web", "--image=nginx")
	must(t, user, "-n", ns, "create", "deployment", "web", "--image=nginx", "--replicas=0")
	restrict(t, vendor("subresource", prohibited))

	// The API server drops what a subresource can't write, or refuses it.
	for _, patch := range [][]string{
		{"pod", "web", "--subresource=status", `-p={"spec":{"containers":[{"name":"web","image":"` + image + `"}]},"status":{"message":"x"}}`},
		{"pod", "web", "--subresource=resize", `-p={"spec":{"containers":[{"name":"web","image":"` + image + `"}]}}`},
		{"deployment", "web", "--subresource=status", `-p={"spec":{"template":{"spec":{"containers":[{"name":"nginx","image":"` + image + `"}]}}}}`},
		{"deployment", "web", "--subresource=scale", `-p={"spec":{"replicas":0,"template":{"spec":{"containers":[{"name":"nginx","image":"` + image + `"}]}}}}`},
	} {
		output, err := kubectl(t, append([]string{"-n", ns, "patch"}, patch...)...)
		t.Logf("%v: %v %s", patch[:3], err, output)
	}
	assert.NotContains(t, must(t, "-n", ns, "get", "pod/web", "deployment/web", "-o", "yaml"), image)

	must(t, user, "-n", ns, "scale", "deployment", "old", "--replicas=1")
	awaitPods(t, ns, "app=old", 1)
	must(t, "-n", ns, "patch", "pod", "old", "--subresource=status", `-p={"status":{"message":"x"}}`)
	must(t, "-n", ns, "patch", "pod", "old", "--subresource=resize", `-p={"spec":{"containers":[{"name":"old","resources":{"requests":{"cpu":"1m"}}}]}}`)
	const binding = `{"apiVersion":"v1","kind":"Binding","metadata":{"name":"old"},"target":{"apiVersion":"v1","kind":"Node","name":"nowhere"}}`
	output, err := kubectlWith(t, binding, "create", "--raw", "/api/v1/namespaces/"+ns+"/pods/old/binding", "-f", "-")
	require.NoError(t, err, output)
	const eviction = `{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"old"}}`
	output, err = kubectlWith(t, eviction, user, "create", "--raw", "/api/v1/namespaces/"+ns+"/pods/old/eviction", "-f", "-")
	require.NoError(t, err, output)
}

// TestAnInjectedImageIsNew has a policy of the cluster inject a container into the
// children of a clean Deployment.
func TestAnInjectedImageIsNew(t *testing.T) {
	stage.Needs(t, 36) // for MutatingAdmissionPolicy
	ns := namespace(t)
	restrict(t, vendor("injected", prohibited))
	apply(t, fmt.Sprintf(`
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: inject}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  failurePolicy: Fail
  reinvocationPolicy: Never
  mutations:
    - patchType: ApplyConfiguration
      applyConfiguration:
        expression: 'Object{spec: Object.spec{containers: [Object.spec.containers{name: "injected", image: "registry.injected.example/agent:1"}]}}'
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: inject}
spec: {policyName: inject, matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %s}}}}
`, ns))
	t.Cleanup(func() { must(t, "delete", "mutatingadmissionpolicybinding/inject", "mutatingadmissionpolicy/inject") })
	require.Eventually(t, func() bool {
		output, err := kubectl(t, "-n", ns, "run", "probe", "--dry-run=server", "--image=nginx")
		return err != nil && strings.Contains(output, `container "injected"`)
	}, 20*time.Second, 200*time.Millisecond)
	must(t, "-n", ns, "create", "deployment", "clean", "--image=nginx")
	require.Eventually(t, func() bool {
		output := must(t, "-n", ns, "get", "events", "--field-selector=reason=FailedCreate", "-o", "jsonpath={.items[*].message}")
		return strings.Contains(output, `container "injected"`) && strings.Contains(output, "refused by cluster policy")
	}, 20*time.Second, 200*time.Millisecond, "the ReplicaSet doesn't carry it")
	assert.Empty(t, must(t, "-n", ns, "get", "pods", "-o", "name"))
}

// TestAForgedControllerRevisionIsRefused keeps what a StatefulSet makes Pods from out of
// a tenant's hands.
func TestAForgedControllerRevisionIsRefused(t *testing.T) {
	ns := namespace(t)
	user := tenant(t, ns)
	restrict(t, vendor("revised", prohibited))
	set := strings.Replace(fmt.Sprintf(kinds["StatefulSet"], podSpec("container", "StatefulSet", "nginx")), "name: x", "name: x, namespace: "+ns, 1)
	apply(t, set)
	var revision string
	require.Eventually(t, func() bool {
		revision = must(t, "-n", ns, "get", "controllerrevisions", "-o", "name")
		return revision != ""
	}, 20*time.Second, 100*time.Millisecond)
	uid := must(t, "-n", ns, "get", "statefulset", "x", "-o", "jsonpath={.metadata.uid}")
	must(t, "create", "clusterrole", "write-revisions", "--verb=create,update,patch,get", "--resource=controllerrevisions.apps")
	t.Cleanup(func() { must(t, "delete", "clusterrole", "write-revisions") })
	must(t, "-n", ns, "create", "rolebinding", "write-revisions", "--clusterrole=write-revisions", "--user=tenant-of-"+ns)
	forged := fmt.Sprintf(`
apiVersion: apps/v1
kind: ControllerRevision
metadata: {name: forged, ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: x, uid: %s, controller: true}]}
revision: 7
data: {spec: {template: {$patch: replace, spec: {containers: [{name: c, image: "registry.revised.example/agent:1"}]}}}}
`, uid)
	require.Eventually(t, func() bool {
		output, err := kubectlWith(t, forged, user, "-n", ns, "create", "-f", "-")
		return err != nil && strings.Contains(output, "refused by cluster policy")
	}, 10*time.Second, 100*time.Millisecond)
	output, err := kubectl(t, user, "-n", ns, "patch", strings.TrimSpace(revision), "--type=json", `-p=[{"op":"replace","path":"/data/spec/template/spec/containers/0/image","value":"registry.revised.example/agent:1"}]`)
	require.Error(t, err, output)
	child := fmt.Sprintf("apiVersion: v1\nkind: Pod\nmetadata: {generateName: c-, ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: x, uid: %s, controller: true}]}\nspec: {containers: [{name: c, image: registry.revised.example/agent:1}]}\n", uid)
	output, err = kubectlWith(t, child, user, "-n", ns, "create", "-f", "-")
	require.Error(t, err, output)
	assert.Contains(t, output, "refused by cluster policy")
}

// TestWhatAnOwnerCarriesIsNoMoreThanScalingIt names owners that carry the image: one
// that may go on, one in another namespace, and one that is being deleted.
func TestWhatAnOwnerCarriesIsNoMoreThanScalingIt(t *testing.T) {
	ns := namespace(t)
	user := tenant(t, ns)
	restrict(t, vendor("carried", allowed))
	const image = "registry.carried.example/agent:1"
	must(t, "-n", ns, "create", "deployment", "agent", "--image="+image, "--replicas=0")
	must(t, "create", "namespace", ns+"-2")
	must(t, "-n", ns+"-2", "create", "deployment", "agent", "--image="+image, "--replicas=0")
	restrict(t, vendor("carried", prohibited))
	child := func(owner string) (string, error) {
		uid := must(t, "-n", owner, "get", "deployment", "agent", "-o", "jsonpath={.metadata.uid}")
		return kubectlWith(t, fmt.Sprintf("apiVersion: v1\nkind: Pod\nmetadata: {generateName: c-, ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: agent, uid: %s, controller: true}]}\nspec: {containers: [{name: c, image: %s}]}\n", uid, image), user, "-n", ns, "create", "-f", "-")
	}
	output, err := child(ns)
	require.NoError(t, err, output)
	assert.Contains(t, output, "Warning")
	output, err = child(ns + "-2")
	require.Error(t, err, output)
	assert.Contains(t, output, "refused by cluster policy", "an owner in another namespace is none")

	must(t, "-n", ns, "patch", "deployment", "agent", "--type=merge", `-p={"metadata":{"finalizers":["example.com/wait"]}}`)
	must(t, "-n", ns, "delete", "deployment", "agent", "--wait=false")
	output, err = child(ns)
	require.Error(t, err, output)
	assert.Contains(t, output, "refused by cluster policy", "an owner that is being deleted carries nothing")
	must(t, "-n", ns, "patch", "deployment", "agent", "--type=merge", `-p={"metadata":{"finalizers":null}}`)
}

// TestSomebodyElsesNameBuysNothing acts as those who continue what is there.
func TestSomebodyElsesNameBuysNothing(t *testing.T) {
	ns := namespace(t)
	user := tenant(t, ns)
	restrict(t, vendor("impersonated", prohibited))
	const image = "registry.impersonated.example/agent:1"
	must(t, "-n", ns, "create", "deployment", "clean", "--image=nginx")
	uid := must(t, "-n", ns, "get", "deployment", "clean", "-o", "jsonpath={.metadata.uid}")
	owned := fmt.Sprintf("apiVersion: v1\nkind: Pod\nmetadata: {generateName: c-, ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: clean, uid: %s, controller: true}]}\nspec: {containers: [{name: c, image: %s}]}\n", uid, image)
	loose := fmt.Sprintf("apiVersion: v1\nkind: Pod\nmetadata: {generateName: l-}\nspec: {containers: [{name: c, image: %s}]}\n", image)
	const controller = "system:serviceaccount:kube-system:replicaset-controller"
	must(t, "create", "clusterrolebinding", "impersonated", "--clusterrole=edit", "--user=trusted-operator")
	t.Cleanup(func() { must(t, "delete", "clusterrolebinding", "impersonated") })
	for name, c := range map[string]struct {
		as       []string
		manifest string
		says     string // "" where it is admitted
	}{
		"a controller":                     {[]string{"--as=" + controller}, loose, "refused by cluster policy"},
		"a controller with a clean owner":  {[]string{"--as=" + controller}, owned, "refused by cluster policy"},
		"the controller manager":           {[]string{"--as=system:kube-controller-manager", "--as-group=system:masters"}, owned, "refused by cluster policy"},
		"a trusted controller, no owner":   {[]string{"--as=trusted-operator"}, loose, "refused by cluster policy"},
		"a trusted controller, with owner": {[]string{"--as=trusted-operator"}, owned, ""},
		"a tenant as a controller":         {[]string{user, "--as=" + controller}, owned, "cannot impersonate"},
		"a tenant as a trusted controller": {[]string{user, "--as=trusted-operator"}, owned, "cannot impersonate"},
	} {
		t.Run(name, func(t *testing.T) {
			output, err := kubectlWith(t, c.manifest, append(c.as, "-n", ns, "create", "--validate=false", "-f", "-")...)
			if c.says == "" {
				require.NoError(t, err, output)
				return
			}
			require.Error(t, err, output)
			assert.Contains(t, output, c.says)
		})
	}
}

// TestOnlyANodesOwnMirrorIsTrue forges the copies that kubelets make of static Pods.
func TestOnlyANodesOwnMirrorIsTrue(t *testing.T) {
	ns := namespace(t)
	restrict(t, vendor("mirrored", prohibited))
	apply(t, "apiVersion: v1\nkind: Node\nmetadata: {name: mirror-1}\n---\napiVersion: v1\nkind: Node\nmetadata: {name: mirror-2}\n")
	uid := must(t, "get", "node", "mirror-1", "-o", "jsonpath={.metadata.uid}")
	mirror := fmt.Sprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: static, namespace: %s, annotations: {kubernetes.io/config.mirror: abc}, ownerReferences: [{apiVersion: v1, kind: Node, name: mirror-1, uid: %s, controller: true}]}\nspec: {nodeName: mirror-1, containers: [{name: c, image: registry.mirrored.example/agent:1}]}", ns, uid)
	must(t, "create", "clusterrolebinding", "mirrors", "--clusterrole=edit", "--user=system:node:forged")
	t.Cleanup(func() { must(t, "delete", "clusterrolebinding", "mirrors") })
	for _, forger := range []string{as(t, "system:node:mirror-2", "system:nodes"), as(t, "system:node:forged"), tenant(t, ns)} {
		output, err := kubectlWith(t, mirror, forger, "create", "-f", "-")
		require.Error(t, err, output)
		assert.Contains(t, output, "refused by cluster policy")
	}
	output, err := kubectlWith(t, mirror, as(t, "system:node:mirror-1", "system:nodes"), "create", "-f", "-")
	require.NoError(t, err, output)
	assert.Contains(t, output, "Warning", "it is admitted, and told of")
}

// TestEveryWayToLabelANamespaceIsSeen takes a namespace out of a policy by all verbs and
// subresources that write labels.
func TestEveryWayToLabelANamespaceIsSeen(t *testing.T) {
	ns := namespace(t)
	must(t, "label", "namespace", ns, "tier=guarded")
	apply(t, "apiVersion: embargo.dev/v1alpha1\nkind: VendorPolicy\nmetadata: {name: guarded}\nspec: {audiences: [us-persons], enforcement: Audit, namespaceSelector: {matchLabels: {tier: guarded}}}\n")
	t.Cleanup(func() { must(t, "delete", "vendorpolicy", "guarded") })
	must(t, "create", "clusterrole", "write-namespaces", "--verb=*", "--resource=namespaces,namespaces/status,namespaces/finalize")
	must(t, "create", "clusterrolebinding", "write-namespaces", "--clusterrole=write-namespaces", "--user=labeller")
	user := as(t, "labeller")
	free := func(verb ...string) attempt {
		return attempt{args: append(verb, "--type=merge", `-p={"metadata":{"labels":{"tier":null}}}`)}
	}
	object := `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"` + ns + `"},"spec":{"finalizers":["kubernetes"]}}`
	attempts := map[string]attempt{
		"label":             {args: []string{"label", "namespace", ns, "tier-"}},
		"overwrite":         {args: []string{"label", "namespace", ns, "tier=free", "--overwrite"}},
		"merge patch":       free("patch", "namespace", ns),
		"status":            free("patch", "namespace", ns, "--subresource=status"),
		"replace":           {args: []string{"replace", "-f", "-"}, stdin: object},
		"finalize":          {args: []string{"replace", "--raw", "/api/v1/namespaces/" + ns + "/finalize", "-f", "-"}, stdin: object},
		"server-side apply": {args: []string{"apply", "--server-side", "--force-conflicts", "-f", "-"}, stdin: "apiVersion: v1\nkind: Namespace\nmetadata: {name: " + ns + ", labels: {tier: free}}\n"},
	}
	require.Eventually(t, func() bool {
		output, err := kubectl(t, user, "label", "namespace", ns, "tier=free", "--overwrite", "--dry-run=server")
		return err != nil && strings.Contains(output, `needs the verb "exempt"`)
	}, 15*time.Second, 100*time.Millisecond)
	for name, a := range attempts {
		t.Run(name, func(t *testing.T) {
			output, err := kubectlWith(t, a.stdin, append([]string{user}, a.args...)...)
			require.Error(t, err, output)
			assert.Contains(t, output, `needs the verb "exempt" on vendorpolicies.embargo.dev`)
		})
	}
	assert.Equal(t, "guarded", must(t, "get", "namespace", ns, "-o", "jsonpath={.metadata.labels.tier}"))
}

// TestNobodyElseWritesReports has a user who may write reports, by the cluster's own
// roles, forge one and change one: they are evidence.
func TestNobodyElseWritesReports(t *testing.T) {
	ns := namespace(t)
	must(t, "create", "clusterrole", "write-reports", "--verb=*", "--resource=vendorreports.embargo.dev")
	t.Cleanup(func() { must(t, "delete", "clusterrole", "write-reports") })
	must(t, "-n", ns, "create", "rolebinding", "write-reports", "--clusterrole=write-reports", "--user=forger")
	user := as(t, "forger")
	restrict(t, vendor("evidence", allowed))
	must(t, "-n", ns, "create", "deployment", "agent", "--image=registry.evidence.example/agent:1")
	restrict(t, vendor("evidence", prohibited))
	require.Eventually(t, func() bool {
		_, err := kubectl(t, user, "-n", ns, "get", "vendorreport", "evidence")
		return err == nil
	}, 20*time.Second, 100*time.Millisecond)
	report := must(t, "-n", ns, "get", "vendorreport", "evidence", "-o", "yaml")
	for name, a := range map[string]attempt{
		"forged":  {[]string{"create", "--validate=false", "-f", "-"}, strings.ReplaceAll(report, "name: evidence", "name: forged")},
		"changed": {[]string{"patch", "vendorreport", "evidence", "--type=merge", `-p={"findings":[]}`}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			output, err := kubectlWith(t, a.stdin, append([]string{user, "-n", ns}, a.args...)...)
			require.Error(t, err, output)
			assert.Contains(t, output, "reports are written by Embargo's audit alone")
		})
	}
}
