// Command cluster keeps a control plane running in the folder .cluster, for trying
// things by hand: up, down, status, and binaries, which only gets
// the programs.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"embargo.dev/test/controlplane"
)

const (
	dir       = ".cluster"
	stateFile = "state.json"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("want one of up, down, status, binaries")
	}
	switch args[0] {
	case "up":
		return up(ctx)
	case "down":
		return down()
	case "status":
		return status()
	case "binaries":
		_, err := controlplane.Locate(ctx, os.Stderr)
		return err
	default:
		return fmt.Errorf("%q is none of up, down, status, binaries", args[0])
	}
}

func up(ctx context.Context) error {
	if processes, err := load(); err == nil && processes.Running() {
		fmt.Println("It is up already.")
		return hint()
	}
	if err := down(); err != nil {
		return err
	}
	plane, err := controlplane.Start(ctx, controlplane.Options{Dir: dir, ControllerManager: true, Detached: true, Progress: os.Stderr})
	if err != nil {
		return err
	}
	state, err := json.Marshal(plane.Processes())
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, stateFile), state, 0o600); err != nil {
		return err
	}
	fmt.Println("The control plane is up; kubectl is", plane.KubectlPath())
	return hint()
}

func hint() error {
	kubeconfig, err := filepath.Abs(filepath.Join(dir, "kubeconfig"))
	if err != nil {
		return err
	}
	fmt.Printf("Next:\n  export KUBECONFIG=%s\n  kubectl get namespaces\n  make cluster-down\n", kubeconfig)
	return nil
}

func down() error {
	processes, err := load()
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := processes.Stop(); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

func status() error {
	processes, err := load()
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if !processes.Running() {
		fmt.Println("It is not up; start it with make cluster.")
		return nil
	}
	fmt.Println("It is up.")
	return hint()
}

func load() (controlplane.Processes, error) {
	content, err := os.ReadFile(filepath.Join(dir, stateFile))
	if err != nil {
		return nil, err
	}
	var processes controlplane.Processes
	if err := json.Unmarshal(content, &processes); err != nil {
		return nil, fmt.Errorf("%s: %w", stateFile, err)
	}
	return processes, nil
}
