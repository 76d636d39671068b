// Command generate writes what the chart has in common with config, from config: the
// CRDs, the rules of the roles, alerts and dashboard; and the schema of its values, with
// the schemas of the kinds that values may declare.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"embargo.dev/test/program"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run() error {
	root, err := program.Root()
	if err != nil {
		return err
	}
	g := generator{config: filepath.Join(root, "config"), chart: filepath.Join(root, "charts", "embargo")}
	for _, step := range []func() error{g.crds, g.rules, g.monitoring, g.schema} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// generator writes from the one folder to the other.
type generator struct{ config, chart string }

func (g generator) read(path ...string) (string, error) {
	content, err := os.ReadFile(filepath.Join(append([]string{g.config}, path...)...))
	return string(content), err
}

func (g generator) write(content string, path ...string) error {
	target := filepath.Join(append([]string{g.chart}, path...)...)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	return os.WriteFile(target, []byte(content), 0o644) // a source file
}
