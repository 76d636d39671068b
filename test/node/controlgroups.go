//go:build linux

package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// hierarchies is where the control groups are: of version 2 one hierarchy, of version 1
// one for each controller.
const hierarchies = "/sys/fs/cgroup"

// controlGroup is the one in which the node's Pods get theirs.
func (n *Node) controlGroup() string { return filepath.Join(filepath.Base(Dir()), n.Name) }

// makeControlGroups makes the control groups of a name, in each hierarchy.
func makeControlGroups(name string) error {
	if _, err := os.Stat(filepath.Join(hierarchies, "cgroup.controllers")); err == nil {
		return makeUnified(hierarchies, name)
	}
	roots, err := filepath.Glob(filepath.Join(hierarchies, "*", "cgroup.procs"))
	if err != nil {
		return err
	}
	for _, file := range roots {
		if err := os.MkdirAll(filepath.Join(filepath.Dir(file), name), 0o755); err != nil {
			return fmt.Errorf("making control groups: %w", err)
		}
	}
	return nil
}

// makeUnified makes a control group of version 2, in which every controller is at hand
// that the root has: each group has to pass them on.
func makeUnified(root, name string) error {
	group := root
	for part := range strings.SplitSeq(name, "/") {
		controllers, err := os.ReadFile(filepath.Join(group, "cgroup.controllers"))
		if err != nil {
			return err
		}
		for controller := range strings.FieldsSeq(string(controllers)) {
			if err := os.WriteFile(filepath.Join(group, "cgroup.subtree_control"), []byte("+"+controller), 0o644); err != nil {
				return fmt.Errorf("passing on the controller %s: %w", controller, err)
			}
		}
		group = filepath.Join(group, part)
		if err := os.MkdirAll(group, 0o755); err != nil {
			return fmt.Errorf("making control groups: %w", err)
		}
	}
	return nil
}

// removeControlGroups removes the control groups of a name with all below, in each
// hierarchy. The kernel may take a moment to see that nobody is in them.
func removeControlGroups(name string) error {
	var errs []error
	for _, pattern := range []string{name, "*/" + name} {
		groups, err := filepath.Glob(filepath.Join(hierarchies, pattern))
		if err != nil {
			return err
		}
		for _, group := range groups {
			errs = append(errs, removeControlGroup(group))
		}
	}
	return errors.Join(errs...)
}

func removeControlGroup(root string) error {
	for deadline := time.Now().Add(5 * time.Second); ; {
		var folders []string
		_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				folders = append(folders, path)
			}
			return nil
		})
		for _, folder := range slices.Backward(folders) {
			_ = os.Remove(folder)
		}
		if _, err := os.Stat(root); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s is still in use", root)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
