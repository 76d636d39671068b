package lifecycle_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"embargo.dev/test/installation"
)

// The controller is built once for all tests.
var root, binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "embargo-lifecycle-")
	if err == nil {
		defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
		err = build(context.Background(), dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func build(ctx context.Context, dir string) (err error) {
	if root, err = installation.Root(ctx); err != nil {
		return err
	}
	binary, err = installation.Build(ctx, root, dir)
	return err
}
