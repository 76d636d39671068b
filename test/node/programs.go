//go:build linux

package node

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"embargo.dev/test/controlplane"
	"embargo.dev/test/program"
)

// ContainerdVersion is that of the module test/tools/containerd.
const ContainerdVersion = "v2.4.2"

// The programs of a node.
const (
	kubelet    = "kubelet"
	kubeProxy  = "kube-proxy"
	containerd = "containerd"
	shim       = "containerd-shim-runc-v2" // found beside containerd
	ctr        = "ctr"
)

// fetch gets all programs, where they aren't there yet.
func fetch(ctx context.Context, _ string) error {
	_, err := locate(ctx, os.Stderr)
	return err
}

// locate returns the paths of a node's programs.
func locate(ctx context.Context, progress io.Writer) (controlplane.Binaries, error) {
	found, err := controlplane.Locate(ctx, progress, kubelet, kubeProxy)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{containerd, shim, ctr} {
		source := program.Source{
			Name: name, Module: "containerd", Package: "github.com/containerd/containerd/v2/cmd/" + name,
			LDFlags: "-X github.com/containerd/containerd/v2/version.Version=" + ContainerdVersion,
			Tags:    "no_btrfs,no_zfs,no_devmapper",
		}
		path, err := source.CachedIn(ctx, "containerd-"+ContainerdVersion, progress)
		if err != nil {
			return nil, fmt.Errorf("getting %s: %w", name, err)
		}
		found[name] = path
	}
	return found, nil
}

// logged returns a folder of the enclosure for a program's state and log.
func logged(name string) (string, error) {
	dir := filepath.Join(Dir(), name)
	return dir, os.MkdirAll(dir, 0o755)
}
