package program

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// launch starts a command in a process group of its own. Unless it is detached, the
// kernel kills it when the thread that started it ends; so that thread is kept for
// as long as this process lives, in the network namespace that the command inherits.
func launch(cmd *exec.Cmd, in Surroundings) error {
	if in.Detached {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		return cmd.Start()
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := enter(in.Network)
		if err == nil {
			err = cmd.Start()
		}
		started <- err
		if err == nil {
			select {}
		}
	}()
	return <-started
}

// enter moves this thread into a network namespace.
func enter(path string) error {
	if path == "" {
		return nil
	}
	namespace, err := os.Open(path)
	if err != nil {
		return err
	}
	defer namespace.Close() //nolint:errcheck // only read
	if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("entering %s: %w", path, err)
	}
	return nil
}
