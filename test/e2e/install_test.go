//go:build e2e && linux

package e2e

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/test/helm"
	"embargo.dev/test/load"
	"embargo.dev/test/node"
)

// The bars for an installation.
const (
	readyWithin  = 30 * time.Second
	memoryAtRest = 64 << 20
)

func TestHelmInstallsUpgradesRollsBackAndUninstalls(t *testing.T) {
	for _, major := range helm.Majors {
		i := installer{stage.helms[major]}
		t.Run(i.helm.Version, func(t *testing.T) { testRelease(t, i) })
	}
}

func testRelease(t *testing.T, i installer) {
	running := startLoad(t)
	took := i.install(t, previous())
	assert.Less(t, took, readyWithin)
	begun := time.Now()
	assertDecisions(t)
	assertMemory(t)

	kubectl(t, "-n", namespace, "rollout", "restart", "deployment/embargo")
	kubectl(t, "-n", namespace, "rollout", "status", "deployment/embargo", "--timeout=90s")
	i.upgrade(t, current())
	eventually(t, 30*time.Second, func() bool { return writtenBy(t) == currentVersion }, "the new version keeps the configuration")
	assertDecisions(t)
	i.run(t, "rollback", "embargo", "1", "--namespace", namespace, "--wait", "--timeout", "2m")
	assertDecisions(t)
	eventually(t, 60*time.Second, func() bool { return writtenBy(t) == previousVersion && enforced(t.Context()) }, "the version before keeps the configuration again")
	ended := time.Now()

	i.remove(t)
	running.assertNeverTheReason(t, begun, ended)
	assert.Empty(t, running.records.Between(begun, ended).Of(load.Suspected).Where(func(r load.Record) bool { return r.Outcome != load.Admitted }),
		"there was a replica at every moment")
}

func TestKustomizeInstallsAndUninstalls(t *testing.T) {
	config := filepath.Join(stage.root, "config", "default")
	running := startLoad(t)
	begunInstalling := time.Now()
	kubectl(t, "apply", "--server-side", "-k", config)
	kubectl(t, "-n", namespace, "rollout", "status", "deployment/embargo", "--timeout=90s")
	assert.Less(t, time.Since(begunInstalling), readyWithin)
	eventually(t, 30*time.Second, func() bool { return enforced(t.Context()) }, "it is enforced")
	begun := time.Now()
	assertDecisions(t)
	ended := time.Now()
	running.assertNeverTheReason(t, begun, ended)

	kubectl(t, "delete", "-k", config, "--timeout=90s")
	assert.Empty(t, kubectl(t, "get", "validatingwebhookconfigurations", "-o", "name"))
	assert.NotContains(t, kubectl(t, "get", "clusterroles,clusterrolebindings,customresourcedefinitions,namespaces", "-o", "name"), "embargo")
	kubectl(t, "run", "free", "--image="+restrictedImage, "--dry-run=server")
}

// assertDecisions checks that a restricted Deployment is refused with the reason, and
// that a clean one runs.
func assertDecisions(t *testing.T) {
	t.Helper()
	output, err := try(t.Context(), "create", "deployment", "restricted", "--image="+restrictedImage)
	require.Error(t, err, output)
	assert.Contains(t, output, `admission webhook "introductions.embargo.dev" denied the request`)
	assert.Contains(t, output, "refused by cluster policy")
	kubectl(t, "create", "deployment", "clean", "--image="+cleanImage, "--replicas=2")
	kubectl(t, "wait", "deployment/clean", "--for=condition=Available", "--timeout=60s")
	kubectl(t, "delete", "deployment", "clean", "--cascade=foreground", "--timeout=60s")
}

// assertMemory checks how much each replica needs when nobody asks it anything special.
func assertMemory(t *testing.T) {
	t.Helper()
	for _, pod := range replicas(t) {
		processes, err := node.ProcessesOf(pod.Status.ContainerStatuses[0].ContainerID)
		require.NoError(t, err)
		require.Len(t, processes, 1)
		used, err := node.ResidentMemory(processes[0])
		require.NoError(t, err)
		t.Logf("%s on %s needs %d MiB", pod.Name, pod.Spec.NodeName, used>>20)
		assert.LessOrEqual(t, used, int64(memoryAtRest))
	}
}

// writtenBy returns the version of the controller that wrote the configuration.
func writtenBy(t *testing.T) string {
	t.Helper()
	return strings.TrimPrefix(kubectl(t, "get", "validatingwebhookconfiguration", "embargo", "-o", `jsonpath={.metadata.annotations.embargo\.dev/version}`), "v")
}
