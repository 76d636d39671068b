//go:build e2e && linux

package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/test/helm"
	"embargo.dev/test/node"
)

// installer is a Helm with the release's name and values.
type installer struct{ helm *helm.Helm }

func (i installer) run(t *testing.T, args ...string) string {
	t.Helper()
	output, err := i.helm.Run(t.Context(), node.Dir(), stage.cluster.Kubeconfig(), args...)
	require.NoError(t, err)
	return output
}

// set are the values of a release.
func set(r release, more ...string) []string {
	args := []string{"--namespace", namespace, "--wait", "--timeout", "2m", "--set", "image.tag=" + r.version}
	for _, value := range more {
		args = append(args, "--set", value)
	}
	return args
}

// install installs a release, with everything that people would type, and returns how
// long it took until it was ready.
func (i installer) install(t *testing.T, r release) time.Duration {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			i.clearUp(t)
		}
	})
	// A namespace in which nothing privileged can run.
	kubectl(t, "create", "namespace", namespace)
	kubectl(t, "label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
	begun := time.Now()
	i.run(t, append([]string{"install", "embargo", r.chart}, set(r)...)...)
	took := time.Since(begun)
	eventually(t, 30*time.Second, func() bool { return enforced(t.Context()) }, "it is enforced")
	t.Logf("ready after %s, enforced after %s", took.Round(100*time.Millisecond), time.Since(begun).Round(100*time.Millisecond))
	return took
}

func (i installer) upgrade(t *testing.T, r release, more ...string) {
	t.Helper()
	i.run(t, append([]string{"upgrade", "embargo", r.chart}, set(r, more...)...)...)
}

// clearUp lets the next test begin afresh after one that failed.
func (i installer) clearUp(t *testing.T) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	_, err := i.helm.Run(ctx, node.Dir(), stage.cluster.Kubeconfig(), "uninstall", "embargo", "--namespace", namespace, "--wait", "--timeout", "2m")
	t.Log("uninstalling after a failure:", err)
	for _, object := range []string{"validatingwebhookconfiguration/embargo", "namespace/" + namespace} {
		output, err := try(ctx, "delete", object, "--timeout=60s", "--ignore-not-found")
		t.Log(output, err)
	}
	deleteKinds(t)
}

// deleteKinds deletes Embargo's kinds, and with them what people wrote.
func deleteKinds(t *testing.T) {
	t.Helper()
	for crd := range strings.FieldsSeq(kubectl(t, "get", "customresourcedefinitions", "-o", "name")) {
		if strings.HasSuffix(crd, ".embargo.dev") {
			kubectl(t, "delete", crd, "--timeout=60s")
		}
	}
}

// remove uninstalls, and checks that nothing is left that could be in anybody's way.
func (i installer) remove(t *testing.T) {
	t.Helper()
	i.run(t, "uninstall", "embargo", "--namespace", namespace, "--wait", "--timeout", "2m")
	assertGone(t)
}

// assertGone checks that of an installation nothing is left but what was to be kept, and
// that this can be deleted too.
func assertGone(t *testing.T) {
	t.Helper()
	eventually(t, 30*time.Second, func() bool {
		return kubectl(t, "get", "validatingwebhookconfigurations", "-o", "name") == "" &&
			kubectl(t, "-n", namespace, "get", "secrets,pods,services,serviceaccounts,configmaps,deployments,poddisruptionbudgets,leases", "-o", "name",
				"--field-selector=metadata.name!=kube-root-ca.crt,metadata.name!=default") == ""
	}, "what stood for the installation goes with it")
	cluster := kubectl(t, "get", "clusterroles,clusterrolebindings", "-o", "name")
	assert.NotContains(t, cluster, "embargo")
	kubectl(t, "run", "free", "--image="+restrictedImage, "--dry-run=server")
	kubectl(t, "get", "restrictedvendor", "kaspersky") // people's rules survive
	kubectl(t, "delete", "namespace", namespace, "--timeout=60s")
	deleteKinds(t)
}
