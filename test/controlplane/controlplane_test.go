package controlplane_test

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/test/controlplane"
)

// child makes the test binary a program that starts a control plane, tells its
// processes, and waits to be killed.
const child = "EMBARGO_TEST_CONTROLPLANE_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(child) == "" {
		os.Exit(m.Run())
	}
	plane, err := controlplane.Start(context.Background(), controlplane.Options{Dir: os.Getenv(child)})
	if err != nil {
		panic(err)
	}
	_ = json.NewEncoder(os.Stdout).Encode(plane.Processes())
	select {}
}

func TestControlPlaneRunsAndStops(t *testing.T) {
	plane, err := controlplane.Start(t.Context(), controlplane.Options{ControllerManager: true, Progress: os.Stderr})
	require.NoError(t, err)
	processes := plane.Processes()
	assert.True(t, processes.Running())
	output, err := plane.Kubectl(t.Context(), "create", "deployment", "web", "--image=nginx", "--replicas=2").CombinedOutput()
	require.NoError(t, err, string(output))
	require.Eventually(t, func() bool {
		output, err := plane.Kubectl(t.Context(), "get", "pods", "-l", "app=web", "-o", "name").Output()
		return err == nil && len(output) > len("pod/web")*2
	}, 30*time.Second, 200*time.Millisecond, "the real controllers make Pods")
	require.NoError(t, plane.RestartAPIServer(t.Context()))
	require.NoError(t, plane.Stop())
	assert.NoFileExists(t, plane.Kubeconfig())
	for _, p := range processes {
		assert.False(t, controlplane.Processes{p}.Running(), p.Program)
	}
}

func TestNothingIsLeftAfterACrash(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), child+"="+t.TempDir())
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	require.NoError(t, err)
	var processes controlplane.Processes
	require.NoError(t, json.Unmarshal(line, &processes))
	require.True(t, processes.Running())
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	for _, p := range processes {
		assert.Eventually(t, func() bool { return !(controlplane.Processes{p}).Running() }, 10*time.Second, 20*time.Millisecond, p.Program)
	}
}
