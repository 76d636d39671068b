package controlplane

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"
)

// Processes are programs that outlive the one that started them.
type Processes []Process

// Process is known by its id and by its program: an id alone may have passed on to
// another program.
type Process struct {
	PID     int    `json:"pid"`
	Program string `json:"program"` // path
}

// Processes returns the programs of the control plane, in the order of their start.
func (c *ControlPlane) Processes() Processes {
	var list Processes
	for _, p := range c.processes {
		list = append(list, Process{PID: p.PID(), Program: p.Path()})
	}
	return list
}

// Running reports whether all of them run.
func (l Processes) Running() bool {
	return len(l) > 0 && !slices.ContainsFunc(l, func(p Process) bool { return !p.running() })
}

// Stop ends those that run, the last started first.
func (l Processes) Stop() error {
	var errs []error
	for _, p := range slices.Backward(l) {
		errs = append(errs, p.stop())
	}
	return errors.Join(errs...)
}

// grace is how long a program may take to stop by itself.
const grace = 5 * time.Second

// running compares the command line that the system has for the id, where the system
// tells it, with the program that was started.
func (p Process) running() bool {
	if syscall.Kill(p.PID, 0) != nil {
		return false
	}
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.PID))
	if errors.Is(err, os.ErrNotExist) {
		_, err := os.Stat("/proc/self")
		return err != nil // a system without /proc: the id has to do
	}
	program, _, _ := bytes.Cut(line, []byte{0})
	return err == nil && string(program) == p.Program
}

func (p Process) stop() error {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if !p.running() {
			return nil
		}
		if err := syscall.Kill(p.PID, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stopping %s (%d): %w", p.Program, p.PID, err)
		}
		for deadline := time.Now().Add(grace); p.running() && time.Now().Before(deadline); {
			time.Sleep(20 * time.Millisecond)
		}
	}
	return nil
}
