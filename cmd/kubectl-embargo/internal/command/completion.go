package command

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"embargo.dev/policies/catalog"
)

// addCompletion adds the command that writes scripts for shells. By itself it would answer
// a shell that it doesn't know with its help, as if all were well.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd("completion")
	completion, _, err := root.Find([]string{"completion"})
	if err != nil {
		panic(err) // it was added a line above
	}
	completion.Args = onlyCommands
	completion.RunE = func(cmd *cobra.Command, _ []string) error {
		var shells []string
		for _, shell := range cmd.Commands() {
			shells = append(shells, shell.Name())
		}
		return fmt.Errorf("want a shell: %s; see --help", strings.Join(shells, ", "))
	}
}

// addAudienceFlag adds --audience, which the shell completes.
func addAudienceFlag(cmd *cobra.Command, to *[]string, usage string) {
	cmd.Flags().StringSliceVar(to, "audience", nil, usage)
	completeWith(cmd, "audience", catalog.Audiences)
}

// addChoiceFlag adds a flag that takes one of a few words, in any case.
func addChoiceFlag(cmd *cobra.Command, to *string, name, shorthand, value, usage string, choices []string) {
	*to = value
	cmd.Flags().VarP(&choice{to, choices}, name, shorthand, usage)
	completeWith(cmd, name, func() []string { return choices })
}

// choice is the value of a flag that takes one of a few words. It keeps other words as
// they are, for the command to refuse.
type choice struct {
	value   *string
	choices []string
}

// Set takes a word.
func (c *choice) Set(word string) error {
	*c.value = word
	for _, known := range c.choices {
		if strings.EqualFold(known, word) {
			*c.value = known
		}
	}
	return nil
}

// String returns the word.
func (c *choice) String() string { return *c.value }

// Type is what help calls the value.
func (c *choice) Type() string { return "string" }

func completeWith(cmd *cobra.Command, flag string, words func() []string) {
	complete := func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return words(), cobra.ShellCompDirectiveNoFileComp
	}
	if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err) // the flag was added a line above
	}
}

// completeVendors offers the built-in vendors that aren't named yet.
func completeVendors(_ *cobra.Command, named []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	rest := slices.DeleteFunc(catalog.Names(), func(name string) bool { return slices.Contains(named, name) })
	return rest, cobra.ShellCompDirectiveNoFileComp
}
