//go:build e2e && linux

package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"

	"embargo.dev/test/helm"
	"embargo.dev/test/node"
	"embargo.dev/test/program"
)

// duration is how long disturbances go on; each comes once at least.
var duration = flag.Duration("for", 0, "how long the disturbances go on")

// The versions of the two releases that tests install.
const (
	previousVersion = "0.1.0-previous"
	currentVersion  = "0.1.0"
)

// stage is the cluster, shared by the tests of this package. Each test installs Embargo
// and removes it again.
var stage struct {
	cluster *node.Cluster
	root    string
	helms   map[int]*helm.Helm
	admin   kubernetes.Interface
}

func TestMain(m *testing.M) {
	os.Exit(node.Enclosed(prepare, func() int { return run(m) }))
}

// prepare builds, outside of the enclosure, what is installed in it.
func prepare(ctx context.Context, dir string) error {
	for _, major := range helm.Majors {
		if _, err := helm.Locate(ctx, major, os.Stderr); err != nil {
			return err
		}
	}
	root, err := program.Root()
	if err != nil {
		return err
	}
	return prepareReleases(ctx, root, dir)
}

// setUpTimeout bounds the start of the cluster.
const setUpTimeout = 5 * time.Minute

func run(m *testing.M) int {
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), setUpTimeout)
	defer cancel()
	err := setUp(ctx)
	if err == nil {
		code := m.Run()
		if err = stage.cluster.Stop(); err == nil {
			return code
		}
	}
	fmt.Fprintln(os.Stderr, "e2e:", err)
	return 1
}

func setUp(ctx context.Context) error {
	begun := time.Now()
	var err error
	if stage.root, err = program.Root(); err != nil {
		return err
	}
	stage.helms = map[int]*helm.Helm{}
	for _, major := range helm.Majors {
		if stage.helms[major], err = helm.Locate(ctx, major, os.Stderr); err != nil {
			return err
		}
	}
	if stage.cluster, err = node.StartCluster(ctx, 2, os.Stderr); err != nil {
		return err
	}
	if stage.admin, err = kubernetes.NewForConfig(stage.cluster.Config()); err != nil {
		return err
	}
	archives, err := filepath.Glob(filepath.Join(node.Dir(), "*", imageArchive))
	if err != nil {
		return err
	}
	clean, err := node.PauseImage(cleanImage)
	if err != nil {
		return err
	}
	for _, archive := range append(archives, clean) {
		if err := stage.cluster.Import(ctx, archive); err != nil {
			return err
		}
	}
	fmt.Fprintf(os.Stderr, "two nodes with all images are ready after %s\n", time.Since(begun).Round(100*time.Millisecond))
	return nil
}
