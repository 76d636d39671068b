//go:build linux

package flood

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// network is a network namespace that reaches this one: another address, as a Pod has.
type network struct{ namespace string }

// The addresses are of the range for benchmarks (RFC 2544).
const (
	hostAddress  = "198.18.77.1"
	floodAddress = "198.18.77.2"
)

func newNetwork(t *testing.T) *network {
	t.Helper()
	name := fmt.Sprintf("flood%d", os.Getpid())
	n := &network{namespace: name}
	if output, err := exec.CommandContext(t.Context(), "ip", "netns", "add", name).CombinedOutput(); err != nil {
		t.Skipf("this root may not make network namespaces: %v: %s", err, output)
	}
	t.Cleanup(func() { assert.NoError(t, exec.Command("ip", "netns", "delete", name).Run()) })
	for _, line := range []string{
		"ip link add " + name + " type veth peer name eth0 netns " + name,
		"ip addr add " + hostAddress + "/30 dev " + name,
		"ip link set " + name + " up",
		"ip -n " + name + " addr add " + floodAddress + "/30 dev eth0",
		"ip -n " + name + " link set eth0 up",
	} {
		words := strings.Fields(line)
		output, err := exec.CommandContext(t.Context(), words[0], words[1:]...).CombinedOutput()
		require.NoError(t, err, "%s: %s", line, output)
	}
	return n
}
