//go:build linux

package node

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"embargo.dev/test/program"
)

// sandboxImage holds a Pod's namespaces open.
const sandboxImage = "embargo.dev/pause:1"

// containerdConfig takes the node's folder and the image of sandboxes.
const containerdConfig = `version = 3
root = '%[1]s/containerd'
state = '%[1]s/run'
disabled_plugins = ['io.containerd.nri.v1.nri']

[grpc]
  address = '%[1]s/containerd.sock'

[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = '%[2]s'

[plugins.'io.containerd.cri.v1.runtime']
  # Without the capability SYS_RESOURCE, which sandboxes of CI often lack, no container
  # could be given a better score than its parent's.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true

[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ['` + plugins + `']
  conf_dir = '%[1]s/cni'

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = 'io.containerd.runc.v2'
`

// Socket is where containerd is asked.
func (n *Node) Socket() string { return filepath.Join(n.dir, "containerd.sock") }

// startRuntime starts containerd and gives it the image of sandboxes.
func (n *Node) startRuntime(ctx context.Context) error {
	config := filepath.Join(n.dir, "containerd.toml")
	if err := os.WriteFile(config, fmt.Appendf(nil, containerdConfig, n.dir, sandboxImage), 0o600); err != nil {
		return err
	}
	p, err := n.start(containerd, "--config="+config)
	if err != nil {
		return err
	}
	if err := p.Await(ctx, func(ctx context.Context) error { return n.ctr(ctx, "version").Run() }); err != nil {
		return err
	}
	pause, err := PauseImage(sandboxImage)
	if err != nil {
		return err
	}
	return n.Import(ctx, pause)
}

// Import gives the node the images of an archive.
func (n *Node) Import(ctx context.Context, archive string) error {
	if output, err := n.ctr(ctx, "images", "import", archive).CombinedOutput(); err != nil {
		return fmt.Errorf("importing %s into %s: %w\n%s", archive, n.Name, err, output)
	}
	return nil
}

// ctr returns a command of containerd's client.
func (n *Node) ctr(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, n.programs[ctr], append([]string{"--address=" + n.Socket(), "--namespace=k8s.io"}, args...)...)
}

func (n *Node) start(name string, args ...string) (*program.Process, error) {
	p, err := program.Start(n.programs[name], program.Surroundings{Dir: n.dir, Network: n.namespace()}, args...)
	if err != nil {
		return nil, err
	}
	n.processes = append(n.processes, p)
	return p, nil
}
