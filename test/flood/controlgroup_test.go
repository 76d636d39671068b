//go:build linux

package flood

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

const hierarchies = "/sys/fs/cgroup"

// controlGroup is the folder of a control group, of version 1 or 2.
type controlGroup string

// newControlGroup makes a control group for one controller, such as memory.
func newControlGroup(t *testing.T, controller string) controlGroup {
	t.Helper()
	name := fmt.Sprintf("embargo-flood-%d-%s", os.Getpid(), controller)
	parent := filepath.Join(hierarchies, controller)
	if unified() {
		parent = hierarchies
		if err := os.WriteFile(filepath.Join(parent, "cgroup.subtree_control"), []byte("+"+controller), 0o644); err != nil { //nolint:gosec // the kernel's file
			t.Skipf("this root may not pass on the controller %s: %v", controller, err)
		}
	}
	group := controlGroup(filepath.Join(parent, name))
	if err := os.Mkdir(string(group), 0o755); err != nil { //nolint:gosec // the kernel's folder
		t.Skipf("this root may not make control groups: %v", err)
	}
	t.Cleanup(func() {
		assert.Eventually(t, func() bool {
			err := os.Remove(string(group))
			return err == nil || errors.Is(err, fs.ErrNotExist)
		}, 10*time.Second, 50*time.Millisecond)
	})
	return group
}

func unified() bool {
	_, err := os.Stat(filepath.Join(hierarchies, "cgroup.controllers"))
	return err == nil
}

func (g controlGroup) set(file, value string) error {
	return os.WriteFile(filepath.Join(string(g), file), []byte(value), 0o644) //nolint:gosec // the kernel's file
}

func (g controlGroup) limitMemory(bytes int) error {
	if unified() {
		return errors.Join(g.set("memory.max", strconv.Itoa(bytes)), g.set("memory.swap.max", "0"))
	}
	return g.set("memory.limit_in_bytes", strconv.Itoa(bytes))
}

func (g controlGroup) limitCPU(cpus float64) error {
	const period = 100_000
	quota := strconv.Itoa(int(cpus * period))
	if unified() {
		return g.set("cpu.max", quota+" "+strconv.Itoa(period))
	}
	return g.set("cpu.cfs_quota_us", quota)
}

// script is a program that runs another one in the group, from its first instruction.
func (g controlGroup) script(program string) string {
	return fmt.Sprintf("#!/bin/sh\necho $$ > %s/cgroup.procs\nexec %s \"$@\"\n", g, program)
}
