//go:build linux

package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"

	"embargo.dev/test/program"
)

// The program runs itself again to get into the enclosure, and learns from its
// environment how far it has come.
const (
	stageVariable = "EMBARGO_NODE_STAGE"
	dirVariable   = "EMBARGO_NODE_DIR"

	stageFirst  = "first"  // the first process in the enclosure
	stageInside = "inside" // the program proper
)

// Enclosed calls a function in an enclosure and returns its result, an exit code, from
// the main function of a program or of tests. Before that, outside, it calls prepare with
// the enclosure's folder: there the world can still be reached, inside there is no way
// out.
func Enclosed(prepare func(ctx context.Context, dir string) error, run func() int) int {
	switch os.Getenv(stageVariable) {
	case stageInside:
		return run()
	case stageFirst:
		return first()
	default:
		return outside(prepare)
	}
}

// Dir returns the folder that lasts as long as the enclosure.
func Dir() string { return os.Getenv(dirVariable) }

// failed is the exit code where nothing came to run.
const failed = 2

func outside(prepare func(context.Context, string) error) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	code, err := enclose(ctx, prepare)
	if err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		return max(code, 1)
	}
	return code
}

func enclose(ctx context.Context, prepare func(context.Context, string) error) (code int, err error) {
	if os.Geteuid() != 0 {
		return failed, errors.New("a node can only be run by root: containers need namespaces, mounts and packet filters")
	}
	if err := sweep(); err != nil {
		return failed, err
	}
	state, err := newState()
	if err != nil {
		return failed, err
	}
	defer func() { err = errors.Join(err, state.remove()) }()
	for _, step := range []func(context.Context, string) error{installPackages, fetch, buildPause, prepare} {
		if err := step(ctx, state.dir); err != nil {
			return failed, err
		}
	}
	code, err = spawn(ctx, state)
	if code != 0 || err != nil {
		err = errors.Join(err, keepLogs(state.dir))
	}
	return code, err
}

// spawn runs this program again as the first process of the enclosure. It dies with the
// thread that started it, and with it everything.
func spawn(ctx context.Context, state *state) (int, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	self, err := os.Executable()
	if err != nil {
		return failed, err
	}
	cmd := exec.CommandContext(ctx, self, os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), stageVariable+"="+stageFirst, dirVariable+"="+state.dir)
	cmd.ExtraFiles = []*os.File{state.lock} // held until the first process ends too
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC,
		Pdeathsig:  syscall.SIGKILL,
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopTimeout
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.Exited() {
		return exit.ExitCode(), nil
	}
	if errors.Is(err, syscall.EPERM) {
		err = fmt.Errorf("this root may not make namespaces, as in a container without privileges: %w", err)
	}
	return 0, err
}

// keepLogs copies the logs of what ran, so that somebody can see why it failed.
func keepLogs(dir string) error {
	root, err := program.Root()
	if err != nil {
		return err
	}
	target := filepath.Join(root, ".cache", "node-logs")
	if err := os.RemoveAll(target); err != nil {
		return err
	}
	logs, err := filepath.Glob(filepath.Join(dir, "*", "*.log"))
	if err != nil {
		return err
	}
	for _, log := range logs {
		content, err := os.ReadFile(log)
		if err != nil {
			return err
		}
		copied := filepath.Join(target, filepath.Base(filepath.Dir(log)), filepath.Base(log))
		if err := os.MkdirAll(filepath.Dir(copied), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(copied, content, 0o644); err != nil { // for whoever looks
			return err
		}
	}
	fmt.Fprintln(os.Stderr, "node: the logs are in", target)
	return nil
}
