package chart_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/test/controlplane"
	"embargo.dev/test/helm"
	"embargo.dev/test/installation"
)

// cluster is a control plane of a test's own, without anything of Embargo.
func cluster(t *testing.T, controllers bool) (plane *controlplane.ControlPlane, kubectl func(...string) string) {
	t.Helper()
	plane, err := controlplane.Start(t.Context(), controlplane.Options{ControllerManager: controllers, Progress: os.Stderr})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, plane.Stop()) })
	return plane, func(args ...string) string {
		output, err := plane.Kubectl(t.Context(), args...).CombinedOutput()
		require.NoError(t, err, string(output))
		return string(output)
	}
}

// everything is what a release makes, wherever it is.
const everything = "deployments,services,configmaps,serviceaccounts,poddisruptionbudgets,roles,rolebindings,clusterroles,clusterrolebindings,secrets"

// TestARelease goes through the life of a release, on a control plane without nodes: the
// controller runs beside it, with the config file and the rights that the release gives.
func TestARelease(t *testing.T) {
	for _, major := range helm.Majors {
		t.Run("Helm "+strconv.Itoa(major), func(t *testing.T) {
			plane, kubectl := cluster(t, true)
			run := func(args ...string) string {
				output, err := stage.helms[major].Run(t.Context(), stage.dir, plane.Kubeconfig(), append(args, "--namespace=embargo-system")...)
				require.NoError(t, err)
				return output
			}
			path := filepath.Join(stage.root, "charts", "embargo")
			of := func() string {
				return kubectl("get", everything, "-A", "-l", "app.kubernetes.io/instance=embargo", "-o", "name")
			}
			policies := func() string { return kubectl("get", "vendorpolicies", "-o", "name") }

			file := filepath.Join(t.TempDir(), "waiver.yaml")
			require.NoError(t, os.WriteFile(file, []byte(waiver), 0o600))
			waivers := func() string { return kubectl("get", "vendorwaivers", "-o", "name") }

			notes := run("install", "embargo", path, "--create-namespace", "--set=policies.first.spec.audiences={us-persons}", "--values="+file)
			assert.Contains(t, notes, "Configured: the policies first, which the controller applies from these values.")
			assert.NotContains(t, notes, "Enforced:", "nobody knows at that time")
			assert.Contains(t, notes, "kubectl -n embargo-system get events --field-selector involvedObject.name=embargo-list")
			replica := runBeside(t, plane, kubectl, t.Output())
			eventually(t, func() bool {
				output, err := plane.Kubectl(t.Context(), "run", "bad", "--image=kaspersky/scanengine_httpd:2.1", "--dry-run=server").CombinedOutput()
				return err != nil && strings.Contains(string(output), "refused by cluster policy")
			}, "what the values declare is enforced")
			assert.Equal(t, "vendorpolicy.embargo.dev/first\n", policies(), "who declares policies gets no default one")
			eventually(t, func() bool { return waivers() == "vendorwaiver.embargo.dev/mail\n" }, "declared waivers may be written")
			assert.Equal(t, "values", kubectl("get", "vendorpolicy", "first", "-o", `jsonpath={.metadata.labels.embargo\.dev/list}`))

			// What is no longer a value goes, and a changed setting makes new Pods.
			pods := func() string {
				return kubectl("-n", "embargo-system", "get", "deployment", "embargo", "-o", "jsonpath={.spec.template}")
			}
			before := pods()
			certificate := func() string {
				return kubectl("-n", "embargo-system", "get", "secret", "embargo-webhook-certificate", "-o", "jsonpath={.data}")
			}
			kept := certificate()
			require.Contains(t, kept, "tls.key", "the controller has filled what the chart creates empty")
			run("upgrade", "embargo", path, "--reset-values", "--set=logging.level=debug")
			assert.NotEqual(t, before, pods())
			assert.Equal(t, kept, certificate(), "an upgrade leaves the certificate")
			eventually(t, func() bool { return policies()+waivers() == "" }, "what went from the values is deleted")
			run("rollback", "embargo", "1")
			assert.Equal(t, before, pods())
			assert.Equal(t, kept, certificate(), "and so does a rollback")
			eventually(t, func() bool {
				return policies()+waivers() == "vendorpolicy.embargo.dev/first\nvendorwaiver.embargo.dev/mail\n"
			}, "and comes back with them, and with the right to write it")

			// Nothing that the controller wrote stays, though it still runs. The rules outlive
			// the release, and the next one takes the CRDs over.
			run("uninstall", "embargo")
			assert.Empty(t, strings.TrimSpace(of()))
			eventually(t, func() bool {
				return kubectl("get", "validatingwebhookconfigurations", "-o", "name")+
					kubectl("-n", "embargo-system", "get", "secrets,configmaps,leases", "-o", "name", "--field-selector=metadata.name!=kube-root-ca.crt") == ""
			}, "nothing is left")
			require.NoError(t, replica.Stop())
			assert.Equal(t, "vendorpolicy.embargo.dev/first\n", policies())
			run("install", "embargo", path, "--set=crds.keep=false")
			run("uninstall", "embargo")
			eventually(t, func() bool { return kubectl("get", "crd", "-o", "name") == "" }, "they go where that is asked for")
		})
	}
}

// runBeside runs a replica as the release's service account, by the release's config file
// but for where it is reached.
func runBeside(t *testing.T, plane *controlplane.ControlPlane, kubectl func(...string) string, log io.Writer) *installation.Replica {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "config.yaml")
	require.NoError(t, os.WriteFile(file, []byte(kubectl("-n", "embargo-system", "get", "configmap", "embargo-config", "-o", `jsonpath={.data.config\.yaml}`)), 0o600))
	admin, err := os.ReadFile(plane.Kubeconfig())
	require.NoError(t, err)
	kubeconfig := filepath.Join(dir, "kubeconfig")
	require.NoError(t, os.WriteFile(kubeconfig, admin, 0o600))
	token := kubectl("-n", "embargo-system", "create", "token", "embargo")
	kubectl("--kubeconfig="+kubeconfig, "config", "set-credentials", "embargo", "--token="+strings.TrimSpace(token))
	kubectl("--kubeconfig="+kubeconfig, "config", "set-context", "--current", "--user=embargo")

	binary, err := installation.Build(t.Context(), stage.root, stage.dir)
	require.NoError(t, err)
	replica, err := installation.Start(plane, binary, kubeconfig, log, "--config="+file)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, replica.Stop()) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, replica.AwaitReady(ctx))
	return replica
}

func eventually(t *testing.T, condition func() bool, message string) {
	t.Helper()
	require.Eventually(t, condition, time.Minute, 200*time.Millisecond, message)
}

// gadgets is a custom resource whose schema leaves open where pod templates are.
const gadgets = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  names: {plural: gadgets, singular: gadget, kind: Gadget, listKind: GadgetList}
  scope: Namespaced
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, x-kubernetes-preserve-unknown-fields: true}}}}}
`

// TestWorkloadKindsOnlyAreRead runs the controller with the narrowest rights of the chart, and
// with roles of somebody else's.
func TestWorkloadKindsOnlyAreRead(t *testing.T) {
	plane, kubectl := cluster(t, true)
	manifest(t, plane, "apply", gadgets)
	_, err := stage.helms[4].Run(t.Context(), stage.dir, plane.Kubeconfig(), "install", "embargo", filepath.Join(stage.root, "charts", "embargo"),
		"--namespace=embargo-system", "--create-namespace", "--set=rbac.read=workloads,reportAPI=none")
	require.NoError(t, err)
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	runBeside(t, plane, kubectl, log)
	audited := func() string {
		output, _ := plane.Kubectl(t.Context(), "get", "vendorpolicy", "default", "-o",
			`jsonpath={.status.conditions[?(@.type=="Audited")].status} {.status.conditions[?(@.type=="Audited")].message}`).Output()
		return string(output)
	}
	eventually(t, func() bool { return strings.HasPrefix(audited(), "False") }, "what can't be read is named")
	assert.Contains(t, audited(), "gadgets.example.com")
	assert.Contains(t, audited(), "embargo.dev/aggregate-to-audit")
	kubectl("create", "clusterrole", "gadgets", "--verb=get,list,watch", "--resource=gadgets.example.com")
	kubectl("label", "clusterrole", "gadgets", "embargo.dev/aggregate-to-audit=true")
	eventually(t, func() bool { return strings.HasPrefix(audited(), "True") }, "operators extend what may be read")

	content, err := os.ReadFile(log.Name())
	require.NoError(t, err)
	for line := range strings.Lines(string(content)) {
		if !strings.Contains(line, "gadgets.example.com") {
			assert.NotContains(t, line, "is forbidden", "it asks for nothing else that it may not have")
		}
	}
}

// TestRolesOfSomebodyElse binds what the chart's README lists, under other names, and then
// uninstalls: the roles stay, and nothing else does.
func TestRolesOfSomebodyElse(t *testing.T) {
	plane, kubectl := cluster(t, true)
	kubectl("create", "namespace", "embargo-system")
	text, err := template(t, 4, "", "--show-only=templates/rbac.yaml")
	require.NoError(t, err)
	var foreign []string
	for document := range strings.SplitSeq(text, "\n---\n") {
		if !strings.Contains(document, "\nrules: []") { // the one that the chart has in any case
			document = strings.ReplaceAll(document, "name: embargo-controller", "name: foreign-controller")
			document = strings.ReplaceAll(document, "name: embargo-view", "name: foreign-view")
			document = strings.ReplaceAll(document, "kind: Role\nmetadata:\n  name: embargo\n", "kind: Role\nmetadata:\n  name: foreign\n")
			document = strings.ReplaceAll(document, "kind: RoleBinding\nmetadata:\n  name: embargo\n", "kind: RoleBinding\nmetadata:\n  name: foreign\n")
			document = strings.ReplaceAll(document, "kind: Role, name: embargo}", "kind: Role, name: foreign}")
			foreign = append(foreign, strings.ReplaceAll(document, "app.kubernetes.io/instance: embargo", "app.kubernetes.io/instance: foreign"))
		}
	}
	manifest(t, plane, "apply", strings.Join(foreign, "\n---\n"))
	run := func(args ...string) {
		_, err := stage.helms[4].Run(t.Context(), stage.dir, plane.Kubeconfig(), append(args, "--namespace=embargo-system")...)
		require.NoError(t, err)
	}
	run("install", "embargo", filepath.Join(stage.root, "charts", "embargo"), "--set=rbac.create=false")
	runBeside(t, plane, kubectl, t.Output())
	left := func() string {
		return kubectl("get", "validatingwebhookconfigurations", "-o", "name") +
			kubectl("-n", "embargo-system", "get", "secrets,configmaps,leases", "-o", "name", "--field-selector=metadata.name!=kube-root-ca.crt") +
			kubectl("get", everything, "-A", "-l", "app.kubernetes.io/instance=embargo", "-o", "name")
	}
	eventually(t, func() bool {
		return strings.Contains(left(), "validatingwebhookconfiguration.admissionregistration.k8s.io/embargo\n") && strings.Contains(left(), "configmap/embargo-state")
	}, "it works with them")
	run("uninstall", "embargo")
	eventually(t, func() bool { return strings.ReplaceAll(left(), "lease.coordination.k8s.io/embargo\n", "") == "" }, "nothing but the lease that the replica renews is left")
	kubectl("get", "clusterrole", "foreign-controller")
}

func TestKustomizationsAreAppliedAsOftenAsOneLikes(t *testing.T) {
	_, kubectl := cluster(t, false)
	path := filepath.Join(stage.root, "config", "default")
	kubectl("apply", "--server-side", "-k", path)
	certificate := func() string {
		return kubectl("-n", "embargo-system", "get", "secret", "embargo-webhook-certificate", "-o", "jsonpath={.data}")
	}
	kubectl("-n", "embargo-system", "patch", "secret", "embargo-webhook-certificate", "--field-manager=embargo", `-p={"data":{"tls.key":"eA=="}}`)
	kubectl("apply", "--server-side", "-k", path)
	assert.JSONEq(t, `{"tls.key":"eA=="}`, certificate(), "what the controller wrote stays")
	kubectl("apply", "-k", filepath.Join(stage.root, "config", "certificate"))
	kubectl("apply", "-k", filepath.Join(stage.root, "config", "certificate"))
	assert.JSONEq(t, `{"tls.key":"eA=="}`, certificate(), "by client-side apply too")
	kubectl("-n", "embargo-system", "get", "deployment", "embargo")
	kubectl("delete", "-k", path, "--wait=false")
	kubectl("apply", "--dry-run=client", "-k", path)
}
