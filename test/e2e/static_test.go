//go:build e2e && linux

package e2e

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/test/node"
)

// TestAStaticPodIsReported has kubelet run a restricted image, which it does whatever the
// API server says: the mirror Pod must not be refused, and what runs must be known.
func TestAStaticPodIsReported(t *testing.T) {
	archive, err := node.PauseImage(restrictedImage)
	require.NoError(t, err)
	require.NoError(t, stage.cluster.Import(t.Context(), archive))
	i := installer{stage.helms[4]}
	i.install(t, current())

	manifest := filepath.Join(stage.cluster.Nodes[0].StaticPods(), "scanner.yaml")
	require.NoError(t, os.WriteFile(manifest, []byte("apiVersion: v1\nkind: Pod\nmetadata: {name: scanner, namespace: default}\nspec: {containers: [{name: scanner, image: "+restrictedImage+"}]}\n"), 0o600))
	t.Cleanup(func() { _ = os.Remove(manifest) })
	const pod = "scanner-node-1" // kubelet adds the node's name
	eventually(t, 60*time.Second, func() bool {
		phase, err := try(t.Context(), "get", "pod", pod, "-o", "jsonpath={.status.phase}")
		return err == nil && phase == "Running"
	}, "the static Pod runs, and its mirror was admitted")
	findings := func() string {
		output, _ := try(t.Context(), "get", "vendorreport", "kaspersky", "-o", `jsonpath={range .findings[*]}{.workload.kind}/{.workload.name} {.image} {.action}{"\n"}{end}`)
		return output
	}
	eventually(t, 10*time.Second, func() bool { return findings() == "Pod/"+pod+" "+restrictedImage+" Warn\n" }, "the report names it")

	require.NoError(t, os.Remove(manifest))
	eventually(t, 60*time.Second, func() bool { return findings() == "" }, "it is gone")
	assert.Contains(t, kubectl(t, "get", "vendorreport", "kaspersky", "-o", "jsonpath={.resolved[*].workload.name}"), pod)
	i.remove(t)
}
