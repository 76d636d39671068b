//go:build linux

package node

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	// Address is where nodes and Pods reach the API server.
	Address = "10.10.0.1"
	// podNetwork holds the networks of all nodes' Pods.
	podNetwork = "10.244.0.0/16"
	// bridge connects the nodes with each other and the API server.
	bridge = "nodes"
)

// address is where a node is reached, and subnet that of its Pods.
func (n *Node) address() string { return fmt.Sprintf("10.10.0.%d", 10+n.number) }
func (n *Node) subnet() string  { return fmt.Sprintf("10.244.%d.0/24", n.number) }

// namespace is the path of the node's network namespace.
func (n *Node) namespace() string { return "/run/netns/" + n.Name }

// connectNodes makes the network that nodes are connected to.
func connectNodes(ctx context.Context) error {
	if err := os.WriteFile(forwarding, []byte("1"), 0o644); err != nil {
		return err
	}
	return commands(ctx,
		"ip link set lo up",
		"ip link add "+bridge+" type bridge",
		"ip addr add "+Address+"/24 dev "+bridge,
		"ip link set "+bridge+" up",
	)
}

// forwarding says whether a network namespace passes on what isn't for itself.
const forwarding = "/proc/sys/net/ipv4/ip_forward"

// connect makes the node's network namespace, connects it, and leads to its Pods.
func (n *Node) connect(ctx context.Context) error {
	enabled := filepath.Join(n.dir, "forwarding")
	if err := os.WriteFile(enabled, []byte("1"), 0o600); err != nil {
		return err
	}
	if err := commands(ctx,
		"ip netns add "+n.Name,
		"ip link add "+n.Name+" type veth peer name eth0 netns "+n.Name,
		"ip link set "+n.Name+" master "+bridge+" up",
		"ip -n "+n.Name+" link set lo up",
		"ip -n "+n.Name+" addr add "+n.address()+"/24 dev eth0",
		"ip -n "+n.Name+" link set eth0 up",
		"ip -n "+n.Name+" route add default via "+Address,
		"ip netns exec "+n.Name+" cp "+enabled+" "+forwarding,
		"ip route add "+n.subnet()+" via "+n.address(),
	); err != nil {
		return err
	}
	config := filepath.Join(n.dir, "cni")
	if err := os.MkdirAll(config, 0o755); err != nil {
		return err
	}
	list := fmt.Sprintf(podNetworks, filepath.Join(n.dir, "addresses"), n.subnet())
	return os.WriteFile(filepath.Join(config, "pods.conflist"), []byte(list), 0o600)
}

// podNetworks is the configuration of the network plugins.
const podNetworks = `{
  "cniVersion": "1.0.0", "name": "pods",
  "plugins": [{
    "type": "bridge", "bridge": "pods", "isDefaultGateway": true, "hairpinMode": true,
    "ipam": {"type": "host-local", "dataDir": %q, "ranges": [[{"subnet": %q}]]}
  }]
}
`

func commands(ctx context.Context, lines ...string) error {
	for _, line := range lines {
		words := strings.Fields(line)
		if output, err := exec.CommandContext(ctx, words[0], words[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", line, err, output)
		}
	}
	return nil
}
