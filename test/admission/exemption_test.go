package admission_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// labeller is a user who may create namespaces and change their labels, and has the verb
// exempt on what is named: RESOURCE, or RESOURCE/NAME.
func labeller(t *testing.T, name string, exempt ...string) string {
	t.Helper()
	grant := func(role string, flags ...string) {
		must(t, append([]string{"create", "clusterrole", role}, flags...)...)
		must(t, "create", "clusterrolebinding", role, "--clusterrole="+role, "--user="+name)
		t.Cleanup(func() { must(t, "delete", "clusterrole/"+role, "clusterrolebinding/"+role) })
	}
	grant("labels-"+name, "--verb=get,patch,update,create,delete", "--resource=namespaces")
	for i, right := range exempt {
		resource, object, named := strings.Cut(right, "/")
		flags := []string{"--verb=exempt", "--resource=" + resource + ".embargo.dev"}
		if named {
			flags = append(flags, "--resource-name="+object)
		}
		grant(fmt.Sprintf("exempt-%s-%d", name, i), flags...)
	}
	return as(t, name)
}

// exemptible makes policies and waivers that select namespaces by a label each.
func exemptible(t *testing.T, key string, policies, waivers []string) {
	t.Helper()
	var manifests []string
	for _, name := range policies {
		manifests = append(manifests, fmt.Sprintf("apiVersion: embargo.dev/v1alpha1\nkind: VendorPolicy\nmetadata: {name: %s}\nspec: {audiences: [us-persons], enforcement: Audit, namespaceSelector: {matchLabels: {%s: bound}}}\n", name, key))
		t.Cleanup(func() { must(t, "delete", "vendorpolicy", name) })
	}
	for _, name := range waivers {
		manifests = append(manifests, fmt.Sprintf("apiVersion: embargo.dev/v1alpha1\nkind: VendorWaiver\nmetadata: {name: %s}\nspec: {vendor: kaspersky, namespaceSelector: {matchLabels: {%s: waived}}, images: ['kaspersky/**'], expires: '2099-01-01T00:00:00Z', reason: a test, approvedBy: the tests}\n", name, key))
		t.Cleanup(func() { must(t, "delete", "vendorwaiver", name) })
	}
	apply(t, strings.Join(manifests, "---\n"))
}

// TestTheAPIServerChecksTheRightToExempt has users with no right, rights by name, and the
// right on all relabel and create namespaces.
func TestTheAPIServerChecksTheRightToExempt(t *testing.T) {
	exemptible(t, "one", []string{"one-a"}, []string{"one-w"})
	exemptible(t, "two", []string{"two-a", "two-b"}, nil)
	exemptible(t, "many", []string{"many-a", "many-b", "many-c"}, nil)
	users := map[string]string{
		"nobody":      labeller(t, "nobody"),
		"by-name":     labeller(t, "by-name", "vendorpolicies/one-a", "vendorwaivers/one-w", "vendorpolicies/two-a", "vendorpolicies/two-b", "vendorpolicies/many-a", "vendorpolicies/many-b", "vendorpolicies/many-c"),
		"half":        labeller(t, "half", "vendorpolicies/one-a", "vendorpolicies/two-a"),
		"on-policies": labeller(t, "on-policies", "vendorpolicies"),
		"on-all":      labeller(t, "on-all", "vendorpolicies", "vendorwaivers"),
	}
	ns := namespace(t)
	must(t, "label", "namespace", ns, "one=bound", "two=bound", "many=bound")
	dryRun := func(user string, args ...string) (string, error) {
		return kubectl(t, append([]string{users[user], "label", "namespace", ns, "--overwrite", "--dry-run=server"}, args...)...)
	}
	// The last rule and the last right that were written have reached the API server.
	require.Eventually(t, func() bool {
		_, err := dryRun("nobody", "many=free")
		_, errOnAll := dryRun("on-all", "many=free", "one=waived")
		return err != nil && errOnAll == nil
	}, 20*time.Second, 100*time.Millisecond)

	for _, c := range []struct {
		user   string
		labels []string
		says   string // "" where it is admitted
	}{
		{"nobody", []string{"other=label"}, ""},
		{"nobody", []string{"one=free"}, `leave the VendorPolicy one-a, for which "nobody" needs the verb "exempt" on vendorpolicies.embargo.dev`},
		{"by-name", []string{"one=free"}, ""},
		{"by-name", []string{"one=waived"}, ""},
		{"by-name", []string{"two=free"}, ""},
		{"by-name", []string{"many=free"}, `change fewer labels at a time, or use the verb "exempt" on all vendorpolicies.embargo.dev`},
		{"half", []string{"one=free"}, ""},
		{"half", []string{"one=waived"}, "enter the VendorWaiver one-w"},
		{"half", []string{"two=free"}, "leave the VendorPolicy two-b"},
		{"on-policies", []string{"one=free", "two=free", "many=free"}, ""},
		{"on-policies", []string{"one=waived"}, "enter the VendorWaiver one-w"},
		{"on-all", []string{"one=waived", "two=free", "many=free"}, ""},
	} {
		output, err := dryRun(c.user, c.labels...)
		if c.says == "" {
			require.NoError(t, err, "%s %v: %s", c.user, c.labels, output)
			continue
		}
		require.Error(t, err, "%s %v: %s", c.user, c.labels, output)
		assert.Contains(t, output, c.says)
	}
	const waived = "apiVersion: v1\nkind: Namespace\nmetadata: {name: %s, labels: {one: waived}}\n"
	for user, refused := range map[string]bool{"nobody": true, "on-policies": true, "by-name": false, "on-all": false} {
		output, err := kubectlWith(t, fmt.Sprintf(waived, "new-"+user), users[user], "create", "--dry-run=server", "-f", "-")
		assert.Equal(t, refused, err != nil, "%s: %s", user, output)
	}
}

// TestAnExcludingWaiverConcernsNewNamespaces: users without the right can't create a
// namespace that enters it, but those that always have to be creatable.
func TestAnExcludingWaiverConcernsNewNamespaces(t *testing.T) {
	ns := namespace(t)
	user := labeller(t, "creator")
	output, err := kubectlWith(t, "apiVersion: embargo.dev/v1alpha1\nkind: VendorWaiver\nmetadata: {name: others}\nspec: {vendor: kaspersky, namespaceSelector: {matchExpressions: [{key: env, operator: NotIn, values: [prod]}]}, images: ['kaspersky/other'], expires: '2099-01-01T00:00:00Z', reason: a test, approvedBy: the tests}\n", "apply", "-f", "-")
	require.NoError(t, err, output)
	t.Cleanup(func() { must(t, "delete", "vendorwaiver", "others") })
	assert.Contains(t, output, `spec.namespaceSelector selects every namespace that is not left out by "env notin (prod)", new ones too`)
	require.Eventually(t, func() bool {
		return must(t, "get", "vendorwaiver", "others", "-o", `jsonpath={.status.conditions[?(@.type=="Active")].status}`) == "True"
	}, 20*time.Second, 100*time.Millisecond, "it is warned of and in force")
	create := func(name string, args ...string) (string, error) {
		return kubectl(t, append([]string{user, "create", "namespace", name, "--dry-run=server"}, args...)...)
	}
	require.Eventually(t, func() bool {
		output, err = create("new")
		return err != nil && strings.Contains(output, "namespace-exclusions.embargo.dev")
	}, 20*time.Second, 100*time.Millisecond)
	assert.Contains(t, output, "enter the VendorWaiver others")
	prod := "apiVersion: v1\nkind: Namespace\nmetadata: {name: new, labels: {env: prod}}\n"
	output, err = kubectlWith(t, prod, user, "create", "--dry-run=server", "-f", "-")
	require.NoError(t, err, output)
	output, err = create("kube-system")
	assert.Contains(t, output, "already exists", "nobody is asked about it")
	require.Error(t, err)
	must(t, "label", "namespace", ns, "env=prod")
	output, err = kubectl(t, user, "label", "namespace", ns, "env-")
	require.Error(t, err, output)
	assert.Contains(t, output, `"namespaces.embargo.dev" denied the request`, "an update is no creation")
}

// TestCleanRevisionsNeverLeaveTheAPIServer counts what the webhook is asked about the
// ControllerRevisions of a DaemonSet and a StatefulSet.
func TestCleanRevisionsNeverLeaveTheAPIServer(t *testing.T) {
	ns := namespace(t)
	restrict(t, vendor("unrevised", allowed))
	decisions := func() (count float64) {
		for _, replica := range stage.Replicas {
			count += metricValue(t, replica.Metrics, "embargo_decisions_total", "resource", "controllerrevisions")
		}
		return count
	}
	set := func(kind, name, image string) {
		apply(t, strings.Replace(fmt.Sprintf(kinds[kind], podSpec("container", kind, image)), "name: x", "name: "+name+", namespace: "+ns, 1))
	}
	revisions := func(n int) {
		require.Eventually(t, func() bool {
			return len(strings.Fields(must(t, "-n", ns, "get", "controllerrevisions", "-o", "name"))) == n
		}, 30*time.Second, 100*time.Millisecond)
	}
	before := decisions()
	set("DaemonSet", "clean", "nginx")
	set("StatefulSet", "clean", "nginx")
	revisions(2)
	assert.InDelta(t, before, decisions(), 0)
	set("DaemonSet", "suspect", "registry.unrevised.example/agent:1")
	revisions(3)
	assert.Greater(t, decisions(), before)
}
