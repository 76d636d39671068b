// Package command is the command line of kubectl-embargo.
package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// Exit codes, which scripts depend on.
const (
	exitClean       = 0 // nothing at or above --fail-on
	exitFindings    = 1 // findings at or above it
	exitBad         = 2 // bad usage or unreadable input
	exitUnreachable = 3 // something could not be reached or may not be read
)

// exit is an error that says no more than the exit code; what there was to say has
// been said.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// Run runs a command line and returns its exit code.
func Run(ctx context.Context, args []string, streams genericiooptions.IOStreams) int {
	root := newRoot(streams)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var code exit
	switch {
	case err == nil:
		return exitClean
	case errors.As(err, &code):
		return int(code)
	default:
		fmt.Fprintf(streams.ErrOut, "error: %v\n", err)
		return exitBad
	}
}

func newRoot(streams genericiooptions.IOStreams) *cobra.Command {
	root := &cobra.Command{
		Use:   name(),
		Short: "Check workloads for images of restricted vendors, on the dates of the bans",
		Long: `Embargo keeps images of restricted vendors out of a cluster, on the dates that the
law sets. This command gives its answers before the cluster does.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.ErrOut)
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(newCheck(streams), newVersion(streams))
	root.AddCommand(newList(name(), streams))
	return root
}

// name is how the user called the program: by itself or as a plugin.
func name() string {
	if strings.HasPrefix(filepath.Base(os.Args[0]), "kubectl-") {
		return "kubectl embargo"
	}
	return filepath.Base(os.Args[0])
}

// version is stamped by the build.
var version = ""

func newVersion(streams genericiooptions.IOStreams) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(streams.Out, "Client Version: %s\n", programVersion())
			return err
		},
	}
}

// programVersion is what the build stamped, or else what the module was built as.
func programVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && version == "" {
		return info.Main.Version
	}
	return version
}
