package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"embargo.dev/cmd/kubectl-embargo/internal/cluster"
	"embargo.dev/cmd/kubectl-embargo/internal/manifest"
	"embargo.dev/cmd/kubectl-embargo/internal/output"
	"embargo.dev/cmd/kubectl-embargo/internal/terminal"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// check evaluates manifests, or a recorded AdmissionReview.
type check struct {
	basis

	program    string // as the user calls it
	files      []string
	recursive  bool
	exclude    []string
	allowEmpty bool
	review     string
	uses       uses
	failOn     string
	format     string
	flags      *genericclioptions.ConfigFlags
	namespace  string // of manifests that don't say

	result    output.Result
	unchecked []output.InputError // what looks like an object but is none
	set       *policies.RuleSet
}

func newCheck(name string, streams genericiooptions.IOStreams) *cobra.Command {
	c := &check{basis: basis{IOStreams: streams}, program: name, flags: cluster.NewFlags()}
	cmd := &cobra.Command{
		Use:   "check (FILE|DIR|URL|-... [-R] | --review FILE [-f CONTEXT])",
		Short: "Evaluate manifests offline",
		Long: `Evaluate manifests, or a recorded AdmissionReview, without a cluster: which images
are of restricted vendors, which restriction binds them, and what a cluster would do
about it at an instant.

Every image is taken to be newly introduced, unless --use says otherwise. With --old,
or with --against-cluster, the use of each image is decided as admission would: what
stands there already continues, another tag of it is an update. --against-cluster
takes the rules from the cluster too, unless --list or --policy are given.

With --old, an object is compared with the one in the file at the same path, below the
folder that is checked or else below the working folder, or with the one of its kind,
namespace and name.

Exit codes: 0 nothing at or above --fail-on, 1 findings at or above it, 2 bad usage,
input that can't be read, or no Kubernetes object in all of it (unless --allow-empty),
3 something that can't be reached.`,
		Example: examples(name, `
			# The manifests in a folder, and below it
			%[1]s check -f deploy/ -R

			# Some files, as pre-commit and xargs name them
			%[1]s check deploy.yaml job.yaml

			# A repository, without its charts
			%[1]s check -f . -R --exclude charts

			# What a chart renders
			helm template mychart | %[1]s check -f -

			# As of the day on which updates stop
			%[1]s check -f deploy.yaml --as-of 2024-09-29 --use Update

			# Whether the cluster would admit a pull request's manifests, offline
			%[1]s check -f deploy/ -R --old merge-base/deploy/

			# The same by the cluster's own rules, and what is in it
			%[1]s check -f deploy/ -R --against-cluster --context production

			# Repeat a recorded decision, with what the webhook read from the cluster
			%[1]s check --review review.json -f context.yaml`),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.files = append(c.files, args...)
			if err := c.complete(cmd); err != nil {
				return err
			}
			return c.run(cmd.Context())
		},
	}
	c.addFlags(cmd)
	f := cmd.Flags()
	f.StringSliceVarP(&c.files, "filename", "f", nil, "files, folders or URLs with manifests, - for standard input; with --review its context")
	f.BoolVarP(&c.recursive, "recursive", "R", false, "also read the folders below a folder")
	f.StringArrayVar(&c.exclude, "exclude", nil, "glob pattern of paths that are not read, such as charts, *.json or deploy/**/tests; can be given several times")
	f.BoolVar(&c.allowEmpty, "allow-empty", false, "accept input without any Kubernetes object")
	f.StringVar(&c.review, "review", "", "file with a recorded AdmissionReview to evaluate as the webhook would")
	addChoiceFlag(cmd, &c.uses.assumed, "use", "", string(policies.UseIntroduce), "what is done with the images: Introduce, Update or Continue (the creation of a child)", useNames)
	f.StringVar(&c.uses.old, "old", "", "file or folder with the manifests as they were, such as the merge base; they decide the use of each image")
	f.BoolVar(&c.uses.againstCluster, "against-cluster", false, "decide the use of each image, and by which rules, from the cluster")
	addChoiceFlag(cmd, &c.failOn, "fail-on", "", string(v1alpha1.ActionDeny), "weakest action that makes the exit code 1: Deny, Warn, Audit or None", failOn)
	addChoiceFlag(cmd, &c.format, "output", "o", "table", "output format: "+strings.Join(output.Formats(false), ", "), output.Formats(false))
	c.flags.AddFlags(f)
	f.Lookup("namespace").Usage = "namespace of manifests that don't say; default \"default\", with --against-cluster the context's"
	return cmd
}

var failOn = []string{string(v1alpha1.ActionDeny), string(v1alpha1.ActionWarn), string(v1alpha1.ActionAudit), "None"}

// complete checks the usage.
func (c *check) complete(cmd *cobra.Command) error {
	flags := cmd.Flags()
	switch {
	case len(c.files) == 0 && c.review == "":
		return errors.New("want manifests (-f) or a recorded AdmissionReview (--review); see --help")
	case slices.Contains(c.files, ""):
		return errors.New("-f: want a file, a folder, a URL, or - for standard input")
	case !slices.Contains(failOn, c.failOn):
		return fmt.Errorf("--fail-on %q: want one of %s", c.failOn, strings.Join(failOn, ", "))
	}
	if err := output.CheckFormat(c.format, false); err != nil {
		return err
	}
	if err := manifest.CheckExclude(c.exclude); err != nil {
		return fmt.Errorf("--exclude: %w", err)
	}
	if given := clusterFlag(flags, c.flags); given != "" && !c.uses.againstCluster {
		return fmt.Errorf("--%s goes with --against-cluster", given)
	}
	c.namespace = cmp.Or(*c.flags.Namespace, defaultNamespace)
	if err := c.uses.complete(flags, c.review != ""); err != nil {
		return err
	}
	return c.basis.complete(flags, slices.Concat(c.files, []string{c.review, c.uses.old})...)
}

// clusterFlag returns a flag that was given and only means something to a cluster.
func clusterFlag(given *pflag.FlagSet, flags *genericclioptions.ConfigFlags) string {
	known := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.AddFlags(known)
	found := ""
	known.VisitAll(func(f *pflag.Flag) {
		if found == "" && f.Name != "namespace" && given.Changed(f.Name) {
			found = f.Name
		}
	})
	return found
}

func (c *check) run(ctx context.Context) error {
	if c.uses.againstCluster {
		c.connect()
	}
	rules, err := c.rules.load(ctx, c.In, c.broken, c.unread)
	if err != nil {
		return err
	}
	for _, n := range rules.notices {
		c.notice("%s", n)
	}
	c.noteExpired(rules.source.Waivers)
	c.set = rules.compile()
	c.result.Background = c.background(c.failOn, rules.source.Vendors)
	if c.review != "" {
		c.replay(ctx)
	} else {
		c.manifests(ctx)
	}
	if ctx.Err() != nil {
		return exit(exitInterrupted)
	}
	c.sum()
	c.tell()
	if err := output.Print(c.Out, c.format, &c.result, terminal.Colour(c.Out)); err != nil {
		return err
	}
	return c.verdict(c.failOn, c.result.Strongest())
}

// connect makes the cluster the source of rules and of what there was before. Where
// it can't be, the manifests are evaluated all the same.
func (c *check) connect() {
	live, err := cluster.Connect(c.flags)
	if err != nil {
		c.unread(err)
		c.notice("no cluster can be asked: every image is taken to be newly introduced")
		return
	}
	c.uses.live, c.rules.live = live, live
	c.namespace = cmp.Or(live.Namespace, defaultNamespace)
}

// sum completes the result.
func (c *check) sum() {
	r := &c.result
	r.APIVersion, r.Kind = v1alpha1.GroupVersion.String(), output.KindCheck
	r.AsOf, r.RuleSet, r.Instant = c.asked(), c.set.Digest(), c.instant
	r.Notices, r.Errors, r.Unchecked = c.notices, c.errors, c.unchecked
	r.Count()
}
