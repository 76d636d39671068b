package controlplane

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// build builds a program from its Go module into the target, which appears only
// when it is whole.
func (l *locator) build(ctx context.Context, name, target string) error {
	module, pkg := "kubernetes", "k8s.io/kubernetes/cmd/"+name
	if name == etcd {
		module, pkg = "etcd", "go.etcd.io/etcd/server/v3"
	}
	major, minor, _ := strings.Cut(strings.TrimPrefix(KubernetesVersion, "v"), ".")
	minor, _, _ = strings.Cut(minor, ".")
	const stamp = "-X k8s.io/component-base/version."
	partial := target + ".partial"
	defer os.Remove(partial) //nolint:errcheck // it is gone when all went well
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", partial,
		"-ldflags", "-s -w "+stamp+"gitVersion="+KubernetesVersion+" "+stamp+"gitMajor="+major+" "+stamp+"gitMinor="+minor, pkg)
	cmd.Dir = filepath.Join(l.root, "test", "tools", module)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly -buildvcs=false", "GOWORK=off")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	fmt.Fprintf(l.progress, "building %s from its Go module (all of them take about ten minutes the first time)\n", name)
	stop := l.tick(name)
	err := cmd.Run()
	stop()
	if err != nil {
		return fmt.Errorf("%s in %s: %w\n%s", strings.Join(cmd.Args, " "), cmd.Dir, err, output.String())
	}
	return os.Rename(partial, target)
}

// tick tells every so often that something is still going on.
func (l *locator) tick(name string) (stop func()) {
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
				fmt.Fprintf(l.progress, "  … still building %s after %s\n", name, time.Since(begun).Round(time.Second))
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(done)
		<-ended
		fmt.Fprintf(l.progress, "  %s took %s\n", name, time.Since(begun).Round(time.Second))
	}
}
