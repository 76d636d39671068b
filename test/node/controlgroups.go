//go:build linux

package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// hierarchies is where the control groups are: of version 2 one hierarchy, of version 1
// one for each controller.
const hierarchies = "/sys/fs/cgroup"

// controlGroup is the one in which the node's Pods get theirs.
func (n *Node) controlGroup() string { return filepath.Join(filepath.Base(Dir()), n.Name) }

// makeControlGroups makes the control groups of a name, in each hierarchy.
func makeControlGroups(name string) error {
	roots := []string{hierarchies}
	if _, err := os.Stat(filepath.Join(hierarchies, "cgroup.procs")); err != nil {
		if roots, err = filepath.Glob(filepath.Join(hierarchies, "*")); err != nil {
			return err
		}
	}
	for _, root := range roots {
		if _, err := os.Stat(filepath.Join(root, "cgroup.procs")); err != nil {
			continue // a link to one
		}
		if err := os.MkdirAll(filepath.Join(root, name), 0o755); err != nil {
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
