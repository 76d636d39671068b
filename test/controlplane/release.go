package controlplane

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// releaseVariable names another release of Kubernetes than KubernetesVersion, such as
// v1.30.14, to run everything on.
const releaseVariable = "KUBERNETES_VERSION"

// Release returns the release of Kubernetes that is run.
func Release() string {
	if named := os.Getenv(releaseVariable); named != "" {
		return named
	}
	return KubernetesVersion
}

// toolModule returns the folder of the Go module that the programs of the release are
// built from: for KubernetesVersion that of test/tools, whose checksums are on record; for
// another one made here, which goes by the checksum database.
func (l *locator) toolModule(ctx context.Context) (string, error) {
	if l.kubernetes == KubernetesVersion {
		return filepath.Join(l.root, "test", "tools", "kubernetes"), nil
	}
	dir := filepath.Join(l.cache, "module")
	if _, err := os.Stat(filepath.Join(dir, "go.sum")); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	content, err := otherModule(ctx, dir, l.kubernetes)
	if err != nil {
		return "", fmt.Errorf("finding the modules of Kubernetes %s: %w", l.kubernetes, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), content, 0o644); err != nil {
		return "", err
	}
	_, err = golang(ctx, dir, "mod", "tidy")
	return dir, err
}

// otherModule returns the go.mod of a module whose tools are the programs of a release.
// Kubernetes' own go.mod takes what it publishes as k8s.io/… from folders beside it.
func otherModule(ctx context.Context, dir, release string) ([]byte, error) {
	var module struct{ GoMod string }
	if err := golangJSON(ctx, dir, &module, "mod", "download", "-json", "k8s.io/kubernetes@"+release); err != nil {
		return nil, err
	}
	var file struct {
		Go      string
		Replace []struct{ Old, New struct{ Path string } }
	}
	if err := golangJSON(ctx, dir, &file, "mod", "edit", "-json", module.GoMod); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "module embargo.dev/test/tools/kubernetes\n\ngo %s\n\nrequire k8s.io/kubernetes %s\n\n", file.Go, release)
	published := strings.Replace(release, "v1.", "v0.", 1)
	for _, r := range file.Replace {
		if strings.HasPrefix(r.New.Path, "./staging/") {
			fmt.Fprintf(&b, "replace %[1]s => %[1]s %[2]s\n", r.Old.Path, published)
		}
	}
	for _, name := range programs {
		if name != etcd {
			fmt.Fprintf(&b, "tool k8s.io/kubernetes/cmd/%s\n", name)
		}
	}
	return b.Bytes(), nil
}

// golang runs the go command in a module, and returns what it prints.
func golang(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	var problems bytes.Buffer
	cmd.Stderr = &problems
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s%s", strings.Join(cmd.Args, " "), err, output, problems.Bytes())
	}
	return output, nil
}

func golangJSON(ctx context.Context, dir string, into any, args ...string) error {
	output, err := golang(ctx, dir, args...)
	if err != nil {
		return err
	}
	return json.Unmarshal(output, into)
}
