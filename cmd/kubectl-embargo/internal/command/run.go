// Package command is the command line of kubectl-embargo.
package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/klog/v2"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/cmd/kubectl-embargo/internal/terminal"
)

// Exit codes, which scripts depend on.
const (
	exitClean       = 0 // nothing at or above --fail-on
	exitFindings    = 1 // findings at or above it
	exitBad         = 2 // bad usage or unreadable input
	exitUnreachable = 3 // something could not be reached or may not be read

	exitInterrupted = 130 // as shells report a command that Ctrl-C ended
)

// exit is an error that says no more than the exit code; what there was to say has
// been said.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// quietLibraries keeps the Kubernetes libraries from writing to the terminal. Commands say
// themselves what is wrong, and once.
var quietLibraries = sync.OnceFunc(func() {
	klog.SetLogger(logr.Discard())
	logf.SetLogger(logr.Discard())
})

// farewell is how long a command may take to end after an interruption.
const farewell = 300 * time.Millisecond

// RunInterruptibly is Run for a process that ends with it: a read from a terminal, or a
// request that nothing answers, doesn't hear of an interruption and is left behind.
func RunInterruptibly(ctx context.Context, args []string, streams genericiooptions.IOStreams) int {
	ended := make(chan int, 1)
	go func() { ended <- Run(ctx, args, streams) }()
	select {
	case code := <-ended:
		return code
	case <-ctx.Done():
	}
	select {
	case code := <-ended:
		return code
	case <-time.After(farewell):
		return exitInterrupted
	}
}

// Run runs a command line and returns its exit code.
func Run(ctx context.Context, args []string, streams genericiooptions.IOStreams) int {
	quietLibraries()
	streams.In = terminal.FromPipe(ctx, streams.In)
	streams.Out, streams.ErrOut = terminal.UntilInterrupted(ctx, streams.Out), terminal.UntilInterrupted(ctx, streams.ErrOut)
	root := NewRoot(calledAs(os.Args[0]), streams)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var code exit
	switch {
	case ctx.Err() != nil:
		return exitInterrupted
	case err == nil:
		return exitClean
	case errors.As(err, &code):
		return int(code)
	default:
		fmt.Fprintf(streams.ErrOut, "error: %v\n", err)
		return exitBad
	}
}

// NewRoot returns the command with all its subcommands, as it is called: by itself
// (kubectl-embargo) or as a plugin (kubectl embargo).
func NewRoot(name string, streams genericiooptions.IOStreams) *cobra.Command {
	root := &cobra.Command{
		Use:         program,
		Annotations: map[string]string{cobra.CommandDisplayNameAnnotation: name},
		Short:       "Check workloads for images of restricted vendors, on the dates of the bans",
		Long: `Embargo keeps images of restricted vendors out of a cluster, on the dates that the
law sets. This command gives its answers before the cluster does, by the same rules.`,
		Example: examples(name, `
			# What a cluster would say about the manifests in a folder
			%[1]s check -f deploy/ -R

			# What runs of restricted vendors, and what each coming date breaks
			%[1]s audit -A
			%[1]s forecast -A

			# How an image is read, whose it is, and what follows from that
			%[1]s explain kaspersky/scanengine_httpd:2.1

			# What is banned from when on, by which text
			%[1]s schedule`),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          onlyCommands,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.Version = thisVersion().GitVersion
	root.SetVersionTemplate("Client Version: {{.Version}}\n")
	root.SetFlagErrorFunc(suggestFlag)
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.ErrOut)
	root.AddCommand(
		newCheck(name, streams),
		newAudit(name, streams),
		newForecast(name, streams),
		newExplain(name, streams),
		newSchedule(name, streams),
		newList(name, streams),
		newExport(name, streams),
		newVersion(name, streams),
	)
	addCompletion(root)
	return root
}

const program = "kubectl-embargo"

// calledAs is how the user called the program. On the PATH kubectl runs it under its
// own name; whoever renamed it calls it so.
func calledAs(path string) string {
	base := strings.TrimSuffix(filepath.Base(path), ".exe")
	if strings.HasPrefix(base, "kubectl-") {
		return "kubectl embargo"
	}
	return base
}

// examples writes examples as kubectl does, with the name as the user called it.
func examples(name, text string) string {
	var lines []string
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		line = strings.TrimSpace(line)
		if line != "" {
			line = "  " + line
		}
		lines = append(lines, line)
	}
	return fmt.Sprintf(strings.Join(lines, "\n"), name)
}
