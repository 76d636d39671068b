//go:build linux

package node

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// stopTimeout is how long the program may take to stop when it is asked to.
const stopTimeout = 30 * time.Second

// lockDescriptor is the lock of the state folder, which the first process holds and no
// other: when it ends, the others are about to.
const lockDescriptor = 3

// first is the first process: it furnishes the enclosure, runs the program in it, and
// buries what is left an orphan. When it ends, the kernel ends all the others.
func first() int {
	syscall.CloseOnExec(lockDescriptor)
	if err := furnish(os.Getenv(dirVariable)); err != nil {
		fmt.Fprintln(os.Stderr, "node: furnishing the enclosure:", err)
		return failed
	}
	if err := os.Setenv(stageVariable, stageInside); err != nil {
		return failed
	}
	child, err := os.StartProcess("/proc/self/exe", os.Args, &os.ProcAttr{Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}})
	if err != nil {
		fmt.Fprintln(os.Stderr, "node: starting inside:", err)
		return failed
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		for received := range signals {
			_ = child.Signal(received)
		}
	}()
	return reap(child.Pid)
}

// reap waits for every process that ends, until the given one does, and returns its
// exit code.
func reap(pid int) int {
	for {
		var status syscall.WaitStatus
		ended, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return failed
		case ended == pid && status.Exited():
			return status.ExitStatus()
		case ended == pid:
			return 128 + int(status.Signal())
		}
	}
}

// private are folders whose paths are fixed in the programs that write to them.
var private = []string{"/run", "/var/lib/kubelet", "/var/lib/cni", "/var/log/containers", "/var/log/pods"}

// tunables are the kernel's parameters that kubelet wants to have so. It gets files to
// look at and to write to: they are the whole machine's, and not ours to change.
var tunables = map[string]string{
	"vm/overcommit_memory": "1", "vm/panic_on_oom": "0", "kernel/panic": "10", "kernel/panic_on_oops": "1",
	"kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000",
}

// furnish cuts the mounts off from the machine's and puts in what differs.
func furnish(dir string) error {
	if err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mounts of our own: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("/proc: %w", err)
	}
	for _, folder := range private {
		if err := syscall.Mount("tmpfs", folder, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, "mode=755"); err != nil {
			return fmt.Errorf("%s: %w", folder, err)
		}
	}
	for name, value := range tunables {
		file := filepath.Join(dir, "tunables", strings.ReplaceAll(name, "/", "."))
		if err := os.WriteFile(file, []byte(value+"\n"), 0o600); err != nil {
			return err
		}
		if err := syscall.Mount(file, "/proc/sys/"+name, "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
