package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"embargo.dev/cmd/kubectl-embargo/internal/cluster"
	"embargo.dev/cmd/kubectl-embargo/internal/explanation"
	"embargo.dev/cmd/kubectl-embargo/internal/output"
	"embargo.dev/cmd/kubectl-embargo/internal/terminal"
	"embargo.dev/policies/v1alpha1"
)

// explain tells how images are read, or which resources are covered.
type explain struct {
	basis

	resources bool
	format    string
	flags     *genericclioptions.ConfigFlags
}

var explainFormats = append([]string{"table"}, output.StructuredFormats...)

func newExplain(name string, streams genericiooptions.IOStreams) *cobra.Command {
	e := &explain{basis: basis{IOStreams: streams}, flags: cluster.NewFlags()}
	cmd := &cobra.Command{
		Use:   "explain (IMAGE... | --resources)",
		Short: "Explain how an image is read, or which resources are covered",
		Long: `Explain how an image is read: its canonical form, the mirrors undone, the patterns
tried and matched, whose image it is by which evidence, the phase in force of each
restriction and the next one, and what the policies do about each use.

With --resources it lists the resources whose objects are evaluated: in the cluster
that the kubeconfig names those that admission covers, without one the built-in ones.`,
		Example: examples(name, `
			# Whose image is it, and what follows from that
			%[1]s explain kaspersky/scanengine_httpd:2.1

			# On another day, for another audience
			%[1]s explain repo.kcs.kaspersky.com/images/scanner:v2 --as-of 2024-07-19 --audience us-federal

			# Which resources admission covers in a cluster
			%[1]s explain --resources --context production`),
		RunE: func(cmd *cobra.Command, images []string) error {
			if err := e.check(cmd, images); err != nil {
				return err
			}
			if e.resources {
				return e.runResources(cluster.Quiet(cmd.Context()))
			}
			return e.run(cmd.Context(), images)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	e.addFlags(cmd)
	cmd.Flags().BoolVar(&e.resources, "resources", false, "list the resources that are covered")
	addChoiceFlag(cmd, &e.format, "output", "o", "table", "output format: "+strings.Join(explainFormats, ", "), explainFormats)
	e.flags.AddFlags(cmd.Flags())
	return cmd
}

func (e *explain) check(cmd *cobra.Command, images []string) error {
	switch given := clusterFlag(cmd.Flags(), e.flags); {
	case e.resources && len(images) > 0:
		return errors.New("--resources takes no image")
	case !e.resources && len(images) == 0:
		return errors.New("want an image, or --resources; see --help")
	case !e.resources && given != "":
		return fmt.Errorf("--%s goes with --resources", given)
	case !slices.Contains(explainFormats, e.format):
		return fmt.Errorf("-o %q: want one of %s", e.format, strings.Join(explainFormats, ", "))
	}
	return e.complete(cmd.Flags())
}

func (e *explain) run(ctx context.Context, images []string) error {
	rules, err := e.rules.load(ctx, e.In, e.broken, e.unread)
	if err != nil {
		return err
	}
	for _, n := range rules.notices {
		e.notice("%s", n)
	}
	set := rules.compile()
	result := explanation.Result{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: "ExplainResult", AsOf: e.asked(), RuleSet: set.Digest(),
	}
	for _, image := range images {
		result.Images = append(result.Images, explanation.New(set.Explain(image, e.instant), rules.source.Vendors))
	}
	result.Notices = slices.Concat([]string{}, e.notices)
	e.tell()
	if e.format == "table" {
		err = explanation.Write(e.Out, &result, terminal.Width(e.Out))
	} else {
		err = output.PrintStructured(e.Out, e.format, result)
	}
	return errors.Join(err, e.exit())
}
