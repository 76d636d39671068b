package command

import (
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// newList is the parent of the commands about restricted lists.
func newList(program string, streams genericiooptions.IOStreams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Show and validate restricted lists, and import public ones",
		Long: `A restricted list is files with RestrictedVendors: who a vendor is, how its images are
recognised, and which restrictions bind it.`,
		Args: onlyCommands,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newListShow(program, streams), newListValidate(program, streams), newListImport(program, streams))
	return cmd
}
