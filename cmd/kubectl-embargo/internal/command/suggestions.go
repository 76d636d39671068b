package command

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// onlyCommands refuses arguments that are no command, with those that they may stand for.
func onlyCommands(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.SuggestionsMinimumDistance == 0 {
		cmd.SuggestionsMinimumDistance = 2
	}
	err := fmt.Errorf("unknown command %q for %q", args[0], cmd.CommandPath())
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		err = fmt.Errorf("%w; did you mean %s?", err, strings.Join(near, ", "))
	}
	return err
}

var unknownFlag = regexp.MustCompile(`^unknown flag: --([^=\s]+)`)

// suggestFlag adds to the error of a mistyped flag those that it may stand for.
func suggestFlag(cmd *cobra.Command, err error) error {
	match := unknownFlag.FindStringSubmatch(err.Error())
	if match == nil {
		return err
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	near := nearest(match[1], names)
	if len(near) == 0 {
		return fmt.Errorf("%w; see --help", err)
	}
	return fmt.Errorf("%w; did you mean --%s?", err, strings.Join(near, ", --"))
}
