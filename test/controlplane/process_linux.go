package controlplane

import (
	"os/exec"
	"runtime"
	"syscall"
)

// launch starts a command in a process group of its own. Unless it is detached, the
// kernel kills it when the thread that started it ends; so that thread is kept for
// as long as this process lives.
func launch(cmd *exec.Cmd, detached bool) error {
	if detached {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		return cmd.Start()
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			select {}
		}
	}()
	return <-started
}
