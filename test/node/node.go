//go:build linux

package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"embargo.dev/test/controlplane"
	"embargo.dev/test/program"
)

// Node is a running node.
type Node struct {
	Name string

	number    int
	dir       string
	plane     *controlplane.ControlPlane
	programs  controlplane.Binaries
	processes []*program.Process // in the order in which they were started
}

// Cluster is a control plane with nodes.
type Cluster struct {
	*controlplane.ControlPlane
	Nodes []*Node
}

// startTimeout bounds the start of a node.
const startTimeout = 2 * time.Minute

// StartCluster runs a control plane and some nodes, in an enclosure, and returns when
// the nodes are ready.
func StartCluster(ctx context.Context, nodes int, progress io.Writer) (*Cluster, error) {
	if Dir() == "" {
		return nil, errors.New("a cluster with nodes runs in an enclosure only")
	}
	if err := connectNodes(ctx); err != nil {
		return nil, err
	}
	dir, err := logged("control-plane")
	if err != nil {
		return nil, err
	}
	c := &Cluster{}
	if c.ControlPlane, err = controlplane.Start(ctx, controlplane.Options{
		Dir: dir, Address: Address, ControllerManager: true, Scheduler: true, Progress: progress,
	}); err != nil {
		return nil, err
	}
	for i := range nodes {
		node, err := startNode(ctx, c.ControlPlane, i+1, progress)
		if err != nil {
			return nil, errors.Join(err, c.Stop())
		}
		c.Nodes = append(c.Nodes, node)
	}
	return c, nil
}

func startNode(ctx context.Context, plane *controlplane.ControlPlane, number int, progress io.Writer) (*Node, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	n := &Node{Name: fmt.Sprintf("node-%d", number), number: number, plane: plane}
	var err error
	if n.programs, err = locate(ctx, progress); err != nil {
		return nil, err
	}
	if n.dir, err = logged(n.Name); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{n.connect, n.startRuntime, n.startProxy, n.startKubelet} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", n.Name, err), n.stop())
		}
	}
	return n, nil
}

// Import gives every node the images of an archive.
func (c *Cluster) Import(ctx context.Context, archive string) error {
	for _, n := range c.Nodes {
		if err := n.Import(ctx, archive); err != nil {
			return err
		}
	}
	return nil
}

// ToolPath returns the folder of containerd's client, ctr.
func (c *Cluster) ToolPath() string { return filepath.Dir(c.Nodes[0].programs[ctr]) }

// Stop ends all programs. Containers end with the enclosure.
func (c *Cluster) Stop() error {
	var errs []error
	for _, n := range c.Nodes {
		errs = append(errs, n.stop())
	}
	return errors.Join(append(errs, c.ControlPlane.Stop())...)
}

// stop ends the node's programs, the last started first.
func (n *Node) stop() error {
	var errs []error
	for len(n.processes) > 0 {
		last := n.processes[len(n.processes)-1]
		n.processes = n.processes[:len(n.processes)-1]
		errs = append(errs, last.Stop())
	}
	return errors.Join(errs...)
}
