package chart_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/test/controlplane"
	"embargo.dev/test/helm"
)

// cluster is an API server of a test's own, without anything of Embargo.
func cluster(t *testing.T) (plane *controlplane.ControlPlane, kubectl func(...string) string) {
	t.Helper()
	plane, err := controlplane.Start(t.Context(), controlplane.Options{Progress: os.Stderr})
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

// TestARelease goes through the life of a release, on an API server without nodes: what
// its objects become is checked, and what Pods do isn't.
func TestARelease(t *testing.T) {
	for _, major := range helm.Majors {
		t.Run("Helm "+string(rune('0'+major)), func(t *testing.T) {
			plane, kubectl := cluster(t)
			run := func(args ...string) string {
				output, err := stage.helms[major].Run(t.Context(), stage.dir, plane.Kubeconfig(), append(args, "--namespace=embargo-system")...)
				require.NoError(t, err)
				return output
			}
			path := filepath.Join(stage.root, "charts", "embargo")
			of := func() string {
				return kubectl("get", everything, "-A", "-l", "app.kubernetes.io/instance=embargo", "-o", "name")
			}

			notes := run("install", "embargo", path, "--create-namespace", "--set=policies.first.spec.audiences={us-persons}")
			assert.Contains(t, notes, "Enforced: the policies first, which the controller applies from these values.")
			assert.Contains(t, notes, "kubectl -n embargo-system get events --field-selector involvedObject.name=embargo-list")
			assert.Contains(t, kubectl("-n", "embargo-system", "get", "configmap", "embargo-list", "-o", "jsonpath={.data}"), "vendorpolicy.first.yaml")
			kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd/vendorpolicies.embargo.dev")

			// What is no longer a value goes from the list, and a changed setting makes new Pods.
			pods := func() string {
				return kubectl("-n", "embargo-system", "get", "deployment", "embargo", "-o", "jsonpath={.spec.template}")
			}
			before := pods()
			run("upgrade", "embargo", path, "--reset-values", "--set=logging.level=debug")
			assert.NotContains(t, kubectl("-n", "embargo-system", "get", "configmap", "embargo-list", "-o", "jsonpath={.data}"), "vendorpolicy")
			assert.NotEqual(t, before, pods())
			run("rollback", "embargo", "1")
			assert.Equal(t, before, pods())

			// People's rules outlive the release, and the next one takes the CRDs over.
			kubectl("apply", "-f", filepath.Join(stage.root, "config", "samples", "policy-early.yaml"))
			run("uninstall", "embargo")
			assert.Empty(t, strings.TrimSpace(of()))
			assert.Equal(t, "vendorpolicy.embargo.dev/production-early\n", kubectl("get", "vendorpolicies", "-o", "name"))
			run("install", "embargo", path, "--set=crds.keep=false")
			run("uninstall", "embargo")
			assert.Eventually(t, func() bool { return kubectl("get", "crd", "-o", "name") == "" }, 30*time.Second, 200*time.Millisecond, "they go where that is asked for")
		})
	}
}

func TestKustomizationsAreAppliedAsOftenAsOneLikes(t *testing.T) {
	_, kubectl := cluster(t)
	path := filepath.Join(stage.root, "config", "default")
	kubectl("apply", "--server-side", "-k", path)
	kubectl("apply", "--server-side", "-k", path)
	kubectl("-n", "embargo-system", "get", "deployment", "embargo")
	kubectl("delete", "-k", path, "--wait=false")
	kubectl("apply", "--dry-run=client", "-k", path)
}
