//go:build e2e && linux

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"embargo.dev/test/node"
)

// imageArchive is the name of a release's image in its folder.
const imageArchive = "image.tar"

// release is what people install: a chart with its image.
type release struct {
	version string
	chart   string
}

func current() release {
	return release{currentVersion, filepath.Join(stage.root, "charts", "embargo")}
}

func previous() release {
	return release{previousVersion, filepath.Join(node.Dir(), "previous", "source", "charts", "embargo")}
}

// prepareReleases makes the images of this source and of the one before, and the chart
// of the latter.
func prepareReleases(ctx context.Context, root, dir string) error {
	if err := makeImage(ctx, root, currentVersion, filepath.Join(dir, "current")); err != nil {
		return err
	}
	before := filepath.Join(dir, "previous", "source")
	if err := checkOut(ctx, root, before); err != nil {
		return err
	}
	return makeImage(ctx, before, previousVersion, filepath.Join(dir, "previous"))
}

// checkOut puts the source of the commit before this one into a folder. Where there is
// none, or it has no chart yet, this source stands in for it.
func checkOut(ctx context.Context, root, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	commit := "HEAD~1"
	if err := exec.CommandContext(ctx, "git", "-C", root, "cat-file", "-e", commit+":charts/embargo/Chart.yaml").Run(); err != nil {
		if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
			return err
		}
		commit = "HEAD"
	}
	fmt.Fprintf(os.Stderr, "the release before this one is that of %s\n", commit)
	archive := filepath.Join(dir, "source.tar")
	return commands(ctx,
		[]string{"git", "-C", root, "archive", "--output=" + archive, commit},
		[]string{"tar", "-xf", archive, "-C", dir},
	)
}

// makeImage makes the image of a source as people do, with make image.
func makeImage(ctx context.Context, source, version, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return commands(ctx,
		[]string{"make", "--no-print-directory", "-C", source, "image", "ARCHS=" + runtime.GOARCH, "VERSION=" + version, "TAG=" + version, "REVISION=" + version},
		[]string{"cp", filepath.Join(source, "dist", "embargo-image-"+runtime.GOARCH+".tar"), filepath.Join(dir, imageArchive)},
	)
}

func commands(ctx context.Context, list ...[]string) error {
	for _, words := range list {
		if output, err := exec.CommandContext(ctx, words[0], words[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(words, " "), err, output)
		}
	}
	return nil
}
