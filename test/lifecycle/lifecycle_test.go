// Package lifecycle_test checks what the controller leaves behind, and what it
// doesn't bring back.
package lifecycle_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/test/controlplane"
	"embargo.dev/test/installation"
)

func TestUninstallingLeavesNothing(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	dir := t.TempDir()
	root, err := installation.Root(ctx)
	require.NoError(t, err)
	binary, err := installation.Build(ctx, root, dir)
	require.NoError(t, err)
	plane, err := controlplane.Start(ctx, controlplane.Options{ControllerManager: true, Progress: os.Stderr})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, plane.Stop()) })
	require.NoError(t, installation.Prepare(ctx, plane, root))
	log, err := os.Create(filepath.Join(dir, "log"))
	require.NoError(t, err)
	replica, err := installation.Start(plane, binary, "", log)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, replica.Stop()) })
	require.NoError(t, replica.AwaitReady(ctx))
	require.NoError(t, installation.AwaitRegistered(ctx, plane))
	kubectl := func(args ...string) string {
		output, err := plane.Kubectl(ctx, args...).CombinedOutput()
		require.NoError(t, err, string(output))
		return string(output)
	}

	// The default policy stays deleted when somebody deletes it.
	kubectl("delete", "vendorpolicy", "default")
	require.NoError(t, replica.Stop())
	replica, err = installation.Start(plane, binary, "", log)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, replica.Stop()) })
	require.NoError(t, replica.AwaitReady(ctx))
	require.Eventually(t, func() bool {
		return kubectl("get", "rv", "kaspersky", "-o", `jsonpath={.status.conditions[?(@.type=="Enforced")].status}`) == "True"
	}, 30*time.Second, 200*time.Millisecond)
	assert.Empty(t, kubectl("get", "vendorpolicies", "-o", "name"))

	// A person's change of a built-in vendor survives a restart.
	kubectl("patch", "rv", "kaspersky", "--type=merge", `-p={"spec":{"displayName":"Kaspersky (all of it)"}}`)
	require.NoError(t, replica.Stop())
	replica, err = installation.Start(plane, binary, "", log)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, replica.Stop()) })
	require.NoError(t, replica.AwaitReady(ctx))
	require.Eventually(t, func() bool {
		content, err := os.ReadFile(log.Name())
		return err == nil && strings.Contains(string(content), "was changed by someone else and is left as it is")
	}, 30*time.Second, 200*time.Millisecond)
	assert.Equal(t, "Kaspersky (all of it)", kubectl("get", "rv", "kaspersky", "-o", "jsonpath={.spec.displayName}"))

	// Without the installation's ClusterRole nothing that stands for it stays.
	kubectl("delete", "clusterrole", "embargo")
	left := func() string {
		return kubectl("get", "validatingwebhookconfigurations", "-o", "name") +
			kubectl("-n", "embargo-system", "get", "secrets,configmaps", "-o", "name", "--field-selector=metadata.name!=kube-root-ca.crt")
	}
	require.Eventually(t, func() bool { return left() == "" }, 30*time.Second, 100*time.Millisecond)
	assert.Never(t, func() bool { return strings.Contains(left(), "validatingwebhookconfiguration") }, 5*time.Second, 250*time.Millisecond, "it isn't written again")
	kubectl("run", "free", "--image=kaspersky/scanengine_httpd:2.1")
}
