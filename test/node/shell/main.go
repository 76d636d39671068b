//go:build linux

// Command shell runs a cluster with two nodes and a shell beside it, to try things by
// hand. When the shell ends, all of it is gone.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"embargo.dev/test/node"
)

func main() {
	nothing := func(context.Context, string) error { return nil }
	os.Exit(node.Enclosed(nothing, func() int {
		// Ctrl-C is for what runs in the shell.
		signal.Ignore(os.Interrupt)
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		if err := run(ctx, os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, "shell:", err)
			return 1
		}
		return 0
	}))
}

// run runs the shell, or the given command instead.
func run(ctx context.Context, command []string) (err error) {
	cluster, err := node.StartCluster(ctx, 2, os.Stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()
	if len(command) == 0 {
		command = []string{"bash"}
		fmt.Printf("Two nodes are ready. Try:\n  kubectl get nodes\n  less %s\nWhen you leave this shell, all of it is gone.\n", filepath.Join(node.Dir(), "node-1", "kubelet.log"))
	}
	shell := exec.CommandContext(ctx, command[0], command[1:]...)
	shell.Stdin, shell.Stdout, shell.Stderr = os.Stdin, os.Stdout, os.Stderr
	path := strings.Join([]string{filepath.Dir(cluster.KubectlPath()), cluster.ToolPath(), os.Getenv("PATH")}, ":")
	shell.Env = append(os.Environ(), "KUBECONFIG="+cluster.Kubeconfig(), "PATH="+path,
		"STATIC_PODS="+cluster.Nodes[0].StaticPods(), "CONTAINERD_ADDRESS="+cluster.Nodes[0].Socket(), "CONTAINERD_NAMESPACE=k8s.io")
	return shell.Run()
}
