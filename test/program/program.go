// Package program gets the programs that tests run, built from Go modules of their own
// under test/tools into the ignored folder .cache, and runs them.
package program

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Source is a program of a Go module that is a tool of this project.
type Source struct {
	Name    string
	Module  string // folder of the module; if it isn't absolute, under test/tools
	Package string // import path
	LDFlags string // what is stamped into it, beside -s -w
	Tags    string // build tags
}

// Build builds the program into the target, which appears only when it is whole. Progress
// is told to somebody who waits.
func (s Source) Build(ctx context.Context, target string, progress io.Writer) error {
	dir, err := s.dir()
	if err != nil {
		return err
	}
	partial := target + ".partial"
	defer os.Remove(partial) //nolint:errcheck // it is gone when all went well
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", partial, "-tags", s.Tags, "-ldflags", strings.TrimSpace("-s -w "+s.LDFlags), s.Package)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly -buildvcs=false", "GOWORK=off")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	stop := tick(s.Name, progress)
	err = cmd.Run()
	stop()
	if err != nil {
		return fmt.Errorf("%s in %s: %w\n%s", strings.Join(cmd.Args, " "), cmd.Dir, err, output.String())
	}
	return os.Rename(partial, target)
}

func (s Source) dir() (string, error) {
	if filepath.IsAbs(s.Module) {
		return s.Module, nil
	}
	root, err := Root()
	return filepath.Join(root, "test", "tools", s.Module), err
}

// Cached returns the path of the program in the cache, and builds it the first time.
// The version names the folder, so that another version is another program.
func (s Source) Cached(ctx context.Context, version string, progress io.Writer) (string, error) {
	return s.CachedIn(ctx, s.Name+"-"+version, progress)
}

// CachedIn does so in a folder of a given name, for programs that belong together. The
// system and the architecture are added to the name.
func (s Source) CachedIn(ctx context.Context, folder string, progress io.Writer) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, ".cache", fmt.Sprintf("%s-%s-%s", folder, runtime.GOOS, runtime.GOARCH))
	target := filepath.Join(dir, s.Name)
	if isProgram(target) {
		return target, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	unlock, err := Lock(filepath.Join(dir, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	if isProgram(target) { // another process may have built it meanwhile
		return target, nil
	}
	fmt.Fprintf(progress, "building %s for %s from its Go module (a few minutes the first time)\n", s.Name, folder)
	return target, s.Build(ctx, target, progress)
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// Root finds the folder of the repository, above the working folder.
func Root() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "test", "tools", "kubernetes", "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no folder above %s has test/tools/kubernetes: run inside the repository", start)
		}
	}
}

// tick tells every so often that something is still going on.
func tick(name string, progress io.Writer) (stop func()) {
	begun := time.Now()
	ticker := time.NewTicker(15 * time.Second)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				fmt.Fprintf(progress, "  … still building %s after %s\n", name, time.Since(begun).Round(time.Second))
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(done)
		<-ended
		fmt.Fprintf(progress, "  %s took %s\n", name, time.Since(begun).Round(time.Second))
	}
}
