// Command reference writes the reference of the command line, a page a command, from
// the commands' own help.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra/doc"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"embargo.dev/cmd/kubectl-embargo/internal/command"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: reference FOLDER")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// write writes the pages into a folder, and removes those of commands that are gone.
func write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { // documentation
		return err
	}
	stale, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil {
		return err
	}
	for _, page := range stale {
		if err := os.Remove(page); err != nil {
			return err
		}
	}
	root := command.NewRoot("kubectl embargo", genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr})
	root.DisableAutoGenTag = true // it has the date
	return doc.GenMarkdownTreeCustom(root, dir,
		func(string) string {
			return "<!-- Written by make generate from the command's help; not edited by hand. -->\n"
		},
		func(link string) string { return link })
}
