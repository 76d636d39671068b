//go:build e2e && linux

package e2e

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/test/node"
)

// TestAClusterComesBackWithEmbargoDown kills every replica and restarts the whole
// control plane, whose stored configuration still asks for a webhook that isn't there.
func TestAClusterComesBackWithEmbargoDown(t *testing.T) {
	i := installer{stage.helms[4]}
	i.install(t, current())
	kubectl(t, "create", "deployment", "shop", "--image="+cleanImage, "--replicas=2")
	for _, pod := range replicas(t) {
		processes, err := node.ProcessesOf(pod.Status.ContainerStatuses[0].ContainerID)
		require.NoError(t, err)
		for _, pid := range processes {
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	require.NoError(t, stage.cluster.Restart(ctx))
	begun := time.Now()
	kubectl(t, "create", "deployment", "clean", "--image="+cleanImage)
	_, err := try(t.Context(), "create", "deployment", "restricted", "--image="+restrictedImage)
	require.Error(t, err, "also while nobody answers")
	kubectl(t, "wait", "deployment/clean", "deployment/shop", "--for=condition=Available", "--timeout=90s")
	eventually(t, 90*time.Second, func() bool { return len(replicas(t)) == 2 && enforced(t.Context()) && decides(t.Context()) }, "it all comes back by itself")
	t.Logf("all was well again %s after the control plane answered", time.Since(begun).Round(100*time.Millisecond))
	assert.Contains(t, kubectl(t, "get", "nodes"), "Ready")
	kubectl(t, "delete", "deployment", "clean", "shop")
	i.remove(t)
}
