// Command apilint runs kube-api-linter on a package of API types, in the module given
// as its argument. The linter's own build is a plugin of golangci-lint that fetches
// what it needs at build time; this runs the same analyzers from an ordinary module.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/packages"
	"sigs.k8s.io/kube-api-linter/pkg/analysis/registry"
	_ "sigs.k8s.io/kube-api-linter/pkg/registration" // the linters register themselves
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: apilint MODULE-FOLDER PACKAGE")
		os.Exit(2)
	}
	findings, err := lint(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "apilint:", err)
		os.Exit(2)
	}
	for _, f := range findings {
		fmt.Println(f)
	}
	if len(findings) > 0 {
		os.Exit(1)
	}
}

// lint returns what the linters find that no exception covers, and the exceptions that
// cover nothing any more.
func lint(dir, pattern string) ([]string, error) {
	analyzers, err := registry.DefaultRegistry().InitializeLinters(linters, lintersConfig)
	if err != nil {
		return nil, err
	}
	loaded, err := packages.Load(&packages.Config{Mode: packages.LoadAllSyntax, Dir: dir}, pattern)
	if err != nil {
		return nil, err
	}
	if packages.PrintErrors(loaded) > 0 {
		return nil, fmt.Errorf("%s doesn't load", pattern)
	}
	graph, err := checker.Analyze(analyzers, loaded, nil)
	if err != nil {
		return nil, err
	}
	var findings []string
	used := map[exception]bool{}
	for _, root := range graph.Roots {
		if root.Err != nil {
			return nil, fmt.Errorf("%s: %w", root.Analyzer.Name, root.Err)
		}
		for _, d := range root.Diagnostics {
			if e, ok := excepted(root.Analyzer.Name, d.Message); ok {
				used[e] = true
				continue
			}
			position := root.Package.Fset.Position(d.Pos)
			findings = append(findings, fmt.Sprintf("%s:%d: %s: %s", filepath.Base(position.Filename), position.Line, root.Analyzer.Name, d.Message))
		}
	}
	for _, e := range exceptions {
		if !used[e] {
			findings = append(findings, fmt.Sprintf("stale exception: %s %q", e.linter, e.about))
		}
	}
	slices.Sort(findings)
	return findings, nil
}

func excepted(linter, message string) (exception, bool) {
	for _, e := range exceptions {
		if e.linter == linter && strings.Contains(message, e.about) {
			return e, true
		}
	}
	return exception{}, false
}
