// Package app puts the controller together.
package app

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"embargo.dev/cmd/embargo/internal/options"
)

// version is stamped by the build.
var version = ""

// Version returns the version that the build stamped, or the module's.
func Version() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}

// NewCommand returns the controller's command.
func NewCommand() *cobra.Command {
	o := options.New()
	cmd := &cobra.Command{
		Use:   "embargo",
		Short: "Keep restricted vendors' images out of a cluster, on the dates of the bans",
		Long: `embargo answers the API server's admission requests for workloads, and as the
leader keeps Embargo's objects and the webhook configuration up to date.

Settings come from the config file and, before it, from the flags.`,
		Args:          cobra.NoArgs,
		Version:       Version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.Complete(); err != nil {
				return err
			}
			if err := o.Validate(); err != nil {
				return fmt.Errorf("settings:\n%w", err)
			}
			return run(cmd.Context(), o)
		},
	}
	o.AddFlags(cmd.Flags())
	return cmd
}
