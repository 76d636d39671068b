//go:build e2e && linux

package node_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/test/node"
)

// child makes the test binary a program that runs a cluster, tells its folder, and
// waits to be killed.
const child = "EMBARGO_TEST_NODE_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(child) == "" {
		os.Exit(m.Run())
	}
	nothing := func(context.Context, string) error { return nil }
	os.Exit(node.Enclosed(nothing, func() int {
		if err := runPod(context.Background()); err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println("running in", node.Dir())
		select {}
	}))
}

// runPod runs a Pod on a node of its own.
func runPod(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	cluster, err := node.StartCluster(ctx, 1, os.Stderr)
	if err != nil {
		return err
	}
	for _, args := range [][]string{
		{"run", "there", "--image=embargo.dev/pause:1"},
		{"wait", "pod/there", "--for=condition=Ready", "--timeout=1m"},
	} {
		if output, err := cluster.Kubectl(ctx, args...).CombinedOutput(); err != nil {
			return fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), err, output)
		}
	}
	return nil
}

func TestNothingIsLeftAfterACrash(t *testing.T) {
	killed, dir := startChild(t)
	assert.DirExists(t, dir)
	name := filepath.Base(dir)
	assert.NotEmpty(t, processes(name), "a cluster runs")
	assert.NotEmpty(t, controlGroups(t, name), "a Pod runs")
	require.NoError(t, killed.Process.Kill())
	_ = killed.Wait()
	require.Eventually(t, func() bool { return len(processes(name)) == 0 }, 20*time.Second, 50*time.Millisecond, "everything ends with it")

	next, other := startChild(t)
	assert.NoDirExists(t, dir, "the next one clears up")
	assert.Empty(t, controlGroups(t, name))
	require.NoError(t, next.Process.Signal(os.Interrupt))
	require.Error(t, next.Wait(), "it didn't end by itself")
	assert.NoDirExists(t, other)
	assert.Empty(t, controlGroups(t, filepath.Base(other)))
}

// startChild starts the program and returns it with its folder once a Pod runs.
func startChild(t *testing.T) (*exec.Cmd, string) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), child+"=1")
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	dir, ok := strings.CutPrefix(strings.TrimSpace(line), "running in ")
	require.True(t, ok, line)
	return cmd, dir
}

// processes returns those that were started for the folder of the given name: it stands
// in their environment or in their control group.
func processes(name string) []string {
	var found []string
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, folder := range folders {
		environment, _ := os.ReadFile(filepath.Join(folder, "environ"))
		groups, _ := os.ReadFile(filepath.Join(folder, "cgroup"))
		if bytes.Contains(environment, []byte(name)) || bytes.Contains(groups, []byte(name)) {
			found = append(found, folder)
		}
	}
	return found
}

func controlGroups(t *testing.T, name string) []string {
	t.Helper()
	var found []string
	for _, pattern := range []string{name, "*/" + name} {
		matches, err := filepath.Glob(filepath.Join("/sys/fs/cgroup", pattern))
		require.NoError(t, err)
		found = append(found, matches...)
	}
	return found
}
