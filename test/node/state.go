//go:build linux

package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// state is what an enclosure leaves on the machine: a folder, the control groups of the
// same name, and mount points. Whoever uses it holds a lock, which the kernel frees with
// the last process that holds it.
type state struct {
	dir  string
	lock *os.File
}

const (
	statePrefix = "embargo-node-"
	lockFile    = "lock"
	madeFile    = "mount-points" // those that weren't there, a line each
)

func newState() (*state, error) {
	dir, err := os.MkdirTemp("", statePrefix)
	if err != nil {
		return nil, err
	}
	s := &state{dir: dir}
	if s.lock, err = os.Create(filepath.Join(dir, lockFile)); err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(s.lock.Fd()), syscall.LOCK_EX); err != nil {
		return nil, err
	}
	if err := s.makeMountPoints(); err != nil {
		return nil, err
	}
	return s, os.Mkdir(filepath.Join(dir, "tunables"), 0o755)
}

func (s *state) makeMountPoints() error {
	var made []string
	for _, folder := range private {
		if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
			made = append(made, folder)
		}
	}
	if err := os.WriteFile(filepath.Join(s.dir, madeFile), []byte(strings.Join(made, "\n")), 0o600); err != nil {
		return err
	}
	for _, folder := range made {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// remove removes it all, once nothing runs any more.
func (s *state) remove() error { return errors.Join(discard(s.dir), s.lock.Close()) }

// sweep removes what enclosures left whose processes have ended: after a crash nobody
// else does.
func sweep() error {
	left, err := states()
	if err != nil {
		return err
	}
	for _, dir := range left {
		if inUse(dir) {
			continue
		}
		if err := discard(dir); err != nil {
			return fmt.Errorf("removing what an earlier run left: %w", err)
		}
	}
	return nil
}

func states() ([]string, error) { return filepath.Glob(filepath.Join(os.TempDir(), statePrefix+"*")) }

// discard removes a state folder and what belongs to it. Mount points stay while there
// is another one: removing one would unmount what that has there.
func discard(dir string) error {
	made, err := os.ReadFile(filepath.Join(dir, madeFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := errors.Join(removeControlGroups(filepath.Base(dir)), os.RemoveAll(dir)); err != nil {
		return err
	}
	if others, err := states(); err != nil || len(others) > 0 {
		return err
	}
	for folder := range strings.FieldsSeq(string(made)) {
		if err := os.Remove(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// inUse reports whether somebody holds the lock of a state folder. One without a lock
// has just been made, unless it is old.
func inUse(dir string) bool {
	lock, err := os.Open(filepath.Join(dir, lockFile))
	if err != nil {
		info, err := os.Stat(dir)
		return err == nil && time.Since(info.ModTime()) < time.Minute
	}
	defer lock.Close() //nolint:errcheck // frees it
	return syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil
}
