//go:build linux

package flood

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/test/controlplane"
	"embargo.dev/test/installation"
)

var (
	duration = flag.Duration("for", 4*time.Second, "how long each flood lasts")
	pods     = flag.Int("pods", 0, "how many Pods there are, which the leader audits")
	// Latencies mean something only where nothing else runs on the machine.
	compare = flag.Bool("compare-latency", false, "fail where a flood doubles the latency of the API server's requests")
)

func TestMain(m *testing.M) {
	if mode := os.Getenv(modeVariable); mode != "" {
		os.Exit(generate(mode))
	}
	flag.Parse()
	os.Exit(m.Run())
}

// memoryLimit is the chart's.
const memoryLimit = 256 << 20

// floodCPU is the share of a CPU that the flood gets. The machine of a test may have two
// CPUs only, for the API server, etcd, the controller and the flood: what the flood takes
// away by itself isn't what this measures.
const floodCPU = 0.5

// stage is a control plane with one replica in a memory control group.
type stage struct {
	plane   *controlplane.ControlPlane
	replica *installation.Replica
	memory  controlGroup
	cpu     controlGroup // the flood's
	network *network
	log     string
}

func setUp(t *testing.T) *stage {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces and control groups need root")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	s := &stage{network: newNetwork(t), memory: newControlGroup(t, "memory"), cpu: newControlGroup(t, "cpu")}
	require.NoError(t, s.memory.limitMemory(memoryLimit))
	require.NoError(t, s.cpu.limitCPU(floodCPU))
	dir := t.TempDir()
	root, err := installation.Root(ctx)
	require.NoError(t, err)
	binary, err := installation.Build(ctx, root, dir)
	require.NoError(t, err)
	s.plane, err = controlplane.Start(ctx, controlplane.Options{Progress: os.Stderr})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.plane.Stop()) })
	require.NoError(t, installation.Prepare(ctx, s.plane, root))
	s.startReplica(ctx, t, binary, dir)
	require.NoError(t, installation.AwaitRegistered(ctx, s.plane))
	started, err := os.ReadFile(s.log)
	require.NoError(t, err)
	require.Contains(t, string(started), fmt.Sprintf("GOMEMLIMIT=%d", memoryLimit*9/10), "it reads the limit of its control group")
	return s
}

func (s *stage) startReplica(ctx context.Context, t *testing.T, binary, dir string) {
	t.Helper()
	s.log = filepath.Join(dir, "embargo.log")
	log, err := os.Create(s.log)
	require.NoError(t, err)
	confined := filepath.Join(dir, "confined")
	require.NoError(t, os.WriteFile(confined, []byte(s.memory.script(binary)), 0o700)) //nolint:gosec // a program
	// The service account of the manifests needs the controller manager; the administrator
	// does too.
	s.replica, err = installation.Start(s.plane, confined, "", log, "--webhook-host=")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.replica.Stop()) })
	require.NoError(t, s.replica.AwaitReady(ctx))
}

// TestFloods: whatever a Pod sends, the controller lives on, and the API server's reviews
// are answered.
func TestFloods(t *testing.T) {
	s := setUp(t)
	s.fill(t, *pods)
	owner := s.makeOwner(t)
	s.create(t, owner, 2*time.Second) // what is compiled and connected at first
	quiet := s.create(t, owner, *duration)
	t.Logf("%-16s %s", "quiet", quiet)
	for _, mode := range modes {
		t.Run(mode.name, func(t *testing.T) {
			stop := s.flood(t, mode.name, owner)
			during := s.create(t, owner, *duration)
			sent := stop()
			t.Logf("%-16s %s, peak memory %d MiB, flood: %s, rejected: %s", mode.name, during, s.peakMemory(t)>>20, sent, s.rejected(t))
			assert.Empty(t, during.errors, "none of the API server's reviews fails")
			if *compare {
				assert.LessOrEqual(t, during.p99(), 2*quiet.p99())
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			require.NoError(t, s.replica.AwaitReady(ctx), "it lives: %s", s.tail())
		})
	}
	assert.Less(t, s.peakMemory(t), int64(memoryLimit))
	assert.NotContains(t, s.tail(), "goroutine ", "no crash")
	s.nothingFailedOpen(t)
}

// peakMemory returns the most that the process ever held.
func (s *stage) peakMemory(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.replica.PID()))
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(status), "VmHWM:")
	require.True(t, ok)
	kilobytes, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	require.NoError(t, err)
	return kilobytes << 10
}

// rejected returns what the controller counts.
func (s *stage) rejected(t *testing.T) string {
	t.Helper()
	response, err := http.Get(s.replica.Metrics)
	require.NoError(t, err)
	defer response.Body.Close() //nolint:errcheck // read only
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	var counts []string
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "embargo_webhook_rejected_total{reason="); ok && !strings.HasSuffix(line, " 0\n") {
			counts = append(counts, strings.TrimSpace(rest))
		}
	}
	return strings.Join(counts, ", ")
}

// nothingFailedOpen reads the API server's own counters of calls that failed.
func (s *stage) nothingFailedOpen(t *testing.T) {
	t.Helper()
	output, err := s.plane.Kubectl(t.Context(), "get", "--raw", "/metrics").Output()
	require.NoError(t, err)
	for line := range strings.Lines(string(output)) {
		if strings.HasPrefix(line, "apiserver_admission_webhook_fail_open_count{") {
			assert.Fail(t, "a review was admitted unseen", line)
		}
	}
}

func (s *stage) tail() string {
	log, err := os.ReadFile(s.log)
	if err != nil {
		return errors.Join(errors.New("no log"), err).Error()
	}
	return string(log[max(0, len(log)-4096):])
}
