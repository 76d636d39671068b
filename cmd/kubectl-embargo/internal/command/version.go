package command

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"embargo.dev/cmd/kubectl-embargo/internal/cluster"
	"embargo.dev/cmd/kubectl-embargo/internal/output"
)

// version is stamped by the build.
var version = ""

// versions is what version prints as JSON and YAML.
type versions struct {
	ClientVersion     clientVersion `json:"clientVersion"`
	ControllerVersion string        `json:"controllerVersion,omitempty"`
}

type clientVersion struct {
	GitVersion string `json:"gitVersion"`
	GoVersion  string `json:"goVersion"`
	Compiler   string `json:"compiler"`
	Platform   string `json:"platform"`
}

func thisVersion() clientVersion {
	v := clientVersion{GitVersion: version, GoVersion: runtime.Version(), Compiler: runtime.Compiler, Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok && v.GitVersion == "" {
		v.GitVersion = info.Main.Version
	}
	return v
}

type versionCommand struct {
	basis

	flags      *genericclioptions.ConfigFlags
	clientOnly bool
	format     string
}

func newVersion(name string, streams genericiooptions.IOStreams) *cobra.Command {
	v := &versionCommand{basis: basis{IOStreams: streams}, flags: cluster.NewFlags()}
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of this command, and of the controller in the cluster",
		Long: `Print the version of this command and, where a kubeconfig names a cluster, of the
controller that wrote the webhook configuration there.`,
		Example: examples(name, `
			# Of this command alone
			%[1]s version --client`),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return v.run(cmd.Context()) },
	}
	cmd.Flags().BoolVar(&v.clientOnly, "client", false, "ask no cluster")
	addChoiceFlag(cmd, &v.format, "output", "o", "", "output format: json or yaml; default text", output.StructuredFormats)
	v.flags.AddFlags(cmd.Flags())
	return cmd
}

func (v *versionCommand) run(ctx context.Context) error {
	if v.format != "" && !slices.Contains(output.StructuredFormats, v.format) {
		return fmt.Errorf("-o %q: want one of %s", v.format, strings.Join(output.StructuredFormats, ", "))
	}
	all := versions{ClientVersion: thisVersion()}
	if !v.clientOnly && cluster.Configured(v.flags) {
		all.ControllerVersion = v.controller(ctx)
	}
	if v.format != "" {
		if err := output.PrintStructured(v.Out, v.format, all); err != nil {
			return err
		}
		return v.exit()
	}
	fmt.Fprintf(v.Out, "Client Version: %s\n", all.ClientVersion.GitVersion)
	if all.ControllerVersion != "" {
		fmt.Fprintf(v.Out, "Controller Version: %s\n", all.ControllerVersion)
	}
	return v.exit()
}

func (v *versionCommand) controller(ctx context.Context) string {
	live, err := cluster.Connect(v.flags)
	if err == nil {
		var found string
		if found, err = live.ControllerVersion(cluster.Quiet(ctx)); err == nil {
			return found
		}
	}
	v.unread(err)
	return ""
}
