package admission_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// TestBadObjectsAreRefused applies every file of testdata/refused. Its first line,
// a comment, has what the answer must say, parts separated by " | ".
func TestBadObjectsAreRefused(t *testing.T) {
	files, err := filepath.Glob("testdata/refused/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			first, _, _ := strings.Cut(string(content), "\n")
			output, err := kubectl(t, "create", "-f", file)
			require.Error(t, err, output)
			for part := range strings.SplitSeq(strings.TrimPrefix(first, "# "), " | ") {
				assert.Contains(t, output, part)
			}
		})
	}
}

func TestSamplesAreAccepted(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(stage.Root, "config", "samples", "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		output, err := kubectl(t, "create", "--dry-run=server", "-f", file)
		require.NoError(t, err, output)
		for line := range strings.Lines(output) {
			if !strings.HasPrefix(line, "Warning: preview:") { // of other tests' workloads
				assert.NotContains(t, line, "Warning")
			}
		}
	}
}

func TestDefaultsAndDescriptions(t *testing.T) {
	apply(t, vendor("defaults", prohibited))
	assert.Equal(t, "Confirmed", must(t, "get", "rv", "defaults", "-o", "jsonpath={.spec.images.repositories[0].confidence}"))
	for _, field := range []string{"restrictedvendor.spec.restrictions.schedule.effective", "vendorpolicy.spec.leadTimeDays", "vendorwaiver.spec.expires"} {
		name := field[strings.LastIndex(field, ".")+1:]
		assert.Contains(t, must(t, "explain", field), name+" ", "each description begins with the field's name")
	}
	assert.Contains(t, must(t, "get", "rv"), "RESTRICTIONS   RESTRICTION")
}

func TestWhatIsOddIsWarnedOf(t *testing.T) {
	output := apply(t, "apiVersion: embargo.dev/v1alpha1\nkind: VendorPolicy\nmetadata: {name: odd}\nspec: {audiences: [nobody-at-all], namespaceSelector: {matchLabels: {odd: 'yes'}}}\n")
	assert.Contains(t, output, `Warning: spec.audiences[0]: no restriction of the selected vendors is for "nobody-at-all"`)
	must(t, "delete", "vendorpolicy", "odd")
	output = apply(t, strings.Replace(vendor("nothing", prohibited), `{repositories: [{pattern: "registry.nothing.example/**"}]}`, "{}", 1))
	assert.Contains(t, output, "no image will be found")
	require.Eventually(t, func() bool {
		return must(t, "get", "rv", "nothing", "-o", `jsonpath={.status.conditions[?(@.type=="Recognisable")].status}`) == "False"
	}, 5*time.Second, 100*time.Millisecond)
}

// TestAPolicyCountsItsNamespacesAsTheyComeAndGo looks at the status.
func TestAPolicyCountsItsNamespacesAsTheyComeAndGo(t *testing.T) {
	apply(t, "apiVersion: embargo.dev/v1alpha1\nkind: VendorPolicy\nmetadata: {name: counting}\nspec: {audiences: [us-persons], enforcement: Audit, namespaceSelector: {matchLabels: {counted: 'yes'}}}\n")
	t.Cleanup(func() { must(t, "delete", "vendorpolicy", "counting") })
	counts := func(n string) {
		t.Helper()
		require.Eventually(t, func() bool {
			return must(t, "get", "vendorpolicy", "counting", "-o", "jsonpath={.status.namespaces}") == n
		}, 10*time.Second, 50*time.Millisecond)
	}
	ns := namespace(t)
	must(t, "label", "namespace", ns, "counted=yes")
	counts("1")
	must(t, "delete", "namespace", ns)
	counts("") // none
}

// TestAReportIsDeletedInTheForeground: the garbage collector takes a finalizer away.
func TestAReportIsDeletedInTheForeground(t *testing.T) {
	ns := namespace(t)
	restrict(t, vendor("foreground", allowed))
	must(t, "-n", ns, "create", "deployment", "agent", "--image=registry.foreground.example/agent:1", "--replicas=0")
	restrict(t, vendor("foreground", prohibited))
	uid := func() string {
		return must(t, "-n", ns, "get", "vendorreport", "foreground", "--ignore-not-found", "-o", "jsonpath={.metadata.uid}")
	}
	require.Eventually(t, func() bool { return uid() != "" }, 30*time.Second, 100*time.Millisecond)
	before := uid()
	must(t, "-n", ns, "delete", "vendorreport", "foreground", "--cascade=foreground", "--wait=false")
	require.Eventually(t, func() bool { return uid() != before }, 30*time.Second, 100*time.Millisecond)
}

// as returns kubectl's flags for a user with a certificate of the cluster.
func as(t *testing.T, name string, groups ...string) string {
	t.Helper()
	config, err := stage.Plane.UserConfig(name, groups...)
	require.NoError(t, err)
	file := clientcmdapi.NewConfig()
	file.Clusters["c"] = &clientcmdapi.Cluster{Server: config.Host, CertificateAuthorityData: config.CAData}
	file.AuthInfos["u"] = &clientcmdapi.AuthInfo{ClientCertificateData: config.CertData, ClientKeyData: config.KeyData}
	file.Contexts["x"] = &clientcmdapi.Context{Cluster: "c", AuthInfo: "u"}
	file.CurrentContext = "x"
	path := filepath.Join(t.TempDir(), "kubeconfig")
	require.NoError(t, clientcmd.WriteToFile(*file, path))
	return "--kubeconfig=" + path
}

func TestNobodyExemptsTheirOwnNamespace(t *testing.T) {
	ns := namespace(t)
	must(t, "label", "namespace", ns, "embargo-test=bound")
	apply(t, "apiVersion: embargo.dev/v1alpha1\nkind: VendorPolicy\nmetadata: {name: bound}\nspec: {audiences: [us-persons], enforcement: Audit, namespaceSelector: {matchLabels: {embargo-test: bound}}}\n")
	apply(t, "apiVersion: embargo.dev/v1alpha1\nkind: VendorWaiver\nmetadata: {name: way-out}\nspec: {vendor: kaspersky, namespaceSelector: {matchLabels: {embargo-waiver: 'yes'}}, images: ['kaspersky/**'], expires: '2099-01-01T00:00:00Z', reason: a test, approvedBy: the tests}\n")
	t.Cleanup(func() {
		must(t, "delete", "vendorwaiver", "way-out")
		must(t, "delete", "vendorpolicy", "bound")
	})
	must(t, "create", "clusterrole", "label-namespaces", "--verb=get,patch,update,create", "--resource=namespaces")
	must(t, "create", "clusterrolebinding", "label-namespaces", "--clusterrole=label-namespaces", "--user=tenant")
	tenant := as(t, "tenant")
	require.Eventually(t, func() bool {
		output, err := kubectl(t, tenant, "label", "namespace", ns, "--overwrite", "--dry-run=server", "embargo-test=free")
		return err != nil && strings.Contains(output, "exempt")
	}, 15*time.Second, 100*time.Millisecond, "the entry for namespaces follows the labels in use")

	output, err := kubectl(t, tenant, "label", "namespace", ns, "embargo-test-")
	require.Error(t, err, output)
	assert.Contains(t, output, `leave the VendorPolicy bound, for which "tenant" needs the verb "exempt" on vendorpolicies.embargo.dev`)
	output, err = kubectl(t, tenant, "label", "namespace", ns, "embargo-waiver=yes")
	require.Error(t, err, output)
	assert.Contains(t, output, "enter the VendorWaiver way-out")
	output, err = kubectlWith(t, "apiVersion: v1\nkind: Namespace\nmetadata: {name: born-waived, labels: {embargo-waiver: 'yes'}}\n", tenant, "create", "-f", "-")
	require.Error(t, err, output)
	must(t, tenant, "label", "namespace", ns, "other=label")

	must(t, "create", "clusterrole", "exempt-way-out", "--verb=exempt", "--resource=vendorwaivers.embargo.dev", "--resource-name=way-out")
	must(t, "create", "clusterrolebinding", "exempt-way-out", "--clusterrole=exempt-way-out", "--user=tenant")
	require.Eventually(t, func() bool {
		_, err := kubectl(t, tenant, "label", "namespace", ns, "embargo-waiver=yes")
		return err == nil
	}, 10*time.Second, 100*time.Millisecond, "who may exempt may")
}

func TestUpdatesAreCheckedAndOldFaultsDoNotStandInTheWay(t *testing.T) {
	apply(t, vendor("updated", prohibited))
	output, err := kubectl(t, "patch", "rv", "updated", "--type=json", `-p=[{"op":"replace","path":"/spec/restrictions/0/timeZone","value":"Nowhere/Land"}]`)
	require.Error(t, err, output)
	assert.Contains(t, output, "spec.restrictions[0].timeZone")
	must(t, "annotate", "rv", "updated", "a=b")

	expires := time.Now().Add(2 * time.Second).UTC().Truncate(time.Second)
	apply(t, "apiVersion: embargo.dev/v1alpha1\nkind: VendorWaiver\nmetadata: {name: short}\nspec: {vendor: updated, namespaceSelector: {matchLabels: {a: b}}, images: ['registry.updated.example/**'], expires: '"+
		expires.Format(time.RFC3339)+"', reason: a test, approvedBy: the tests}\n")
	t.Cleanup(func() { must(t, "delete", "vendorwaiver", "short") })
	time.Sleep(time.Until(expires))
	output = must(t, "patch", "vendorwaiver", "short", "--type=merge", `-p={"spec":{"reason":"still a test"}}`)
	assert.Contains(t, output, "Warning: spec.expires: expired on "+expires.Format(time.RFC3339)+": it covers nothing")
	output, err = kubectl(t, "patch", "vendorwaiver", "short", "--type=merge", `-p={"spec":{"expires":"2024-01-01T00:00:00Z"}}`)
	require.Error(t, err, output)
	assert.Contains(t, output, "must lie in the future")
}

// TestABackupOfAnExpiredWaiverIsRestored creates it as kubectl printed it.
func TestABackupOfAnExpiredWaiverIsRestored(t *testing.T) {
	output := apply(t, `
apiVersion: embargo.dev/v1alpha1
kind: VendorWaiver
metadata: {name: expired}
spec: {vendor: kaspersky, namespaceSelector: {matchLabels: {a: b}}, images: ['kaspersky/**'], expires: '2024-01-01T00:00:00Z', reason: a test, approvedBy: the tests}
`)
	t.Cleanup(func() { must(t, "delete", "vendorwaiver", "expired") })
	assert.Contains(t, output, "Warning: spec.expires: expired on 2024-01-01T00:00:00Z: it covers nothing")
	backup := must(t, "get", "vendorwaiver", "expired", "-o", "yaml")
	must(t, "delete", "vendorwaiver", "expired")
	output, err := stage.Kubectl(t, backup, "create", "-f", "-")
	require.NoError(t, err, output)
	require.Eventually(t, func() bool {
		return must(t, "get", "vendorwaiver", "expired", "-o", `jsonpath={.status.conditions[?(@.type=="Expired")].status}`) == "True"
	}, 10*time.Second, 100*time.Millisecond)
}
