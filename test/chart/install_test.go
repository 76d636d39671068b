package chart_test

import (
	"context"
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

			notes := run("install", "embargo", path, "--create-namespace", "--set=policies.first.spec.audiences={us-persons}")
			assert.Contains(t, notes, "Configured: the policies first, which the controller applies from these values.")
			assert.NotContains(t, notes, "Enforced:", "nobody knows at that time")
			assert.Contains(t, notes, "kubectl -n embargo-system get events --field-selector involvedObject.name=embargo-list")
			replica := runBeside(t, plane, kubectl)
			eventually(t, func() bool {
				output, err := plane.Kubectl(t.Context(), "run", "bad", "--image=kaspersky/scanengine_httpd:2.1", "--dry-run=server").CombinedOutput()
				return err != nil && strings.Contains(string(output), "refused by cluster policy")
			}, "what the values declare is enforced")
			assert.Equal(t, "vendorpolicy.embargo.dev/first\n", policies(), "who declares policies gets no default one")
			assert.Equal(t, "values", kubectl("get", "vendorpolicy", "first", "-o", `jsonpath={.metadata.labels.embargo\.dev/list}`))

			// What is no longer a value goes, and a changed setting makes new Pods.
			pods := func() string {
				return kubectl("-n", "embargo-system", "get", "deployment", "embargo", "-o", "jsonpath={.spec.template}")
			}
			before := pods()
			run("upgrade", "embargo", path, "--reset-values", "--set=logging.level=debug")
			assert.NotEqual(t, before, pods())
			eventually(t, func() bool { return policies() == "" }, "what went from the values is deleted")
			run("rollback", "embargo", "1")
			assert.Equal(t, before, pods())
			eventually(t, func() bool { return policies() == "vendorpolicy.embargo.dev/first\n" }, "and comes back with them")

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
func runBeside(t *testing.T, plane *controlplane.ControlPlane, kubectl func(...string) string) *installation.Replica {
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
	replica, err := installation.Start(plane, binary, kubeconfig, t.Output(), "--config="+file)
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

func TestKustomizationsAreAppliedAsOftenAsOneLikes(t *testing.T) {
	_, kubectl := cluster(t, false)
	path := filepath.Join(stage.root, "config", "default")
	kubectl("apply", "--server-side", "-k", path)
	kubectl("apply", "--server-side", "-k", path)
	kubectl("-n", "embargo-system", "get", "deployment", "embargo")
	kubectl("delete", "-k", path, "--wait=false")
	kubectl("apply", "--dry-run=client", "-k", path)
}
