package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"embargo.dev/cmd/kubectl-embargo/internal/manifest"
	"embargo.dev/cmd/kubectl-embargo/internal/output"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// check evaluates manifests, or a recorded AdmissionReview.
type check struct {
	genericiooptions.IOStreams

	files     []string
	recursive bool
	review    string
	asOf      string
	use       string
	failOn    string
	format    string
	rules     rulesOptions

	result      output.Result
	instant     policies.Instant
	set         *policies.RuleSet
	bad         bool // something could not be read
	unreachable bool // something could not be reached
}

const checkExamples = `  # The manifests in a folder, and below it
  %[1]s check -f deploy/ -R

  # What a chart renders
  helm template mychart | %[1]s check -f -

  # As of the day on which updates stop
  %[1]s check -f deploy.yaml --as-of 2024-09-29 --use Update

  # Repeat a recorded decision, with what the webhook read from the cluster
  %[1]s check --review review.json -f context.yaml`

func newCheck(streams genericiooptions.IOStreams) *cobra.Command {
	c := &check{IOStreams: streams}
	cmd := &cobra.Command{
		Use:   "check (-f FILE|DIR|URL|- [-R] | --review FILE [-f CONTEXT])",
		Short: "Evaluate manifests offline",
		Long: `Evaluate manifests, or a recorded AdmissionReview, without a cluster: which images
are of restricted vendors, which restriction binds them, and what a cluster would do
about it at an instant.

Exit codes: 0 nothing at or above --fail-on, 1 findings at or above it, 2 bad usage or
input that can't be read, 3 something that can't be reached.`,
		Example: fmt.Sprintf(checkExamples, name()),
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := c.complete(cmd); err != nil {
				return err
			}
			return c.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringSliceVarP(&c.files, "filename", "f", nil, "files, folders or URLs with manifests, - for standard input; with --review its context")
	f.BoolVarP(&c.recursive, "recursive", "R", false, "also read the folders below a folder")
	f.StringVar(&c.review, "review", "", "file with a recorded AdmissionReview to evaluate as the webhook would")
	f.StringVar(&c.asOf, "as-of", "", "instant (RFC 3339), or date (the first instant of that day in each restriction's zone); default now")
	f.StringSliceVar(&c.rules.lists, "list", nil, "files with RestrictedVendors, instead of the built-in list")
	f.StringSliceVar(&c.rules.policies, "policy", nil, "files with VendorPolicies and VendorWaivers, instead of the default policy")
	f.StringSliceVar(&c.rules.audiences, "audience", nil, "audiences, instead of the policies'")
	f.StringVar(&c.use, "use", string(policies.UseIntroduce), "what is done with the images: Introduce, Update or Continue (the creation of a child)")
	f.StringVar(&c.failOn, "fail-on", string(v1alpha1.ActionDeny), "weakest action that makes the exit code 1: Deny, Warn, Audit or None")
	f.StringVarP(&c.format, "output", "o", "table", "output format: "+strings.Join(output.Formats(false), ", "))
	return cmd
}

var uses = []string{string(policies.UseIntroduce), string(policies.UseUpdate), string(policies.UseContinue)}

// complete checks the usage.
func (c *check) complete(cmd *cobra.Command) error {
	flags := cmd.Flags()
	switch {
	case len(c.files) == 0 && c.review == "":
		return errors.New("want manifests (-f) or a recorded AdmissionReview (--review); see --help")
	case c.review != "" && flags.Changed("use"):
		return errors.New("--use goes with manifests: a review says itself what it does")
	case !slices.Contains(uses, c.use):
		return fmt.Errorf("--use %q: want one of %s", c.use, strings.Join(uses, ", "))
	case !slices.Contains([]string{"Deny", "Warn", "Audit", "None"}, c.failOn):
		return fmt.Errorf("--fail-on %q: want one of Deny, Warn, Audit, None", c.failOn)
	}
	if err := output.CheckFormat(c.format, false); err != nil {
		return err
	}
	c.instant = policies.At(time.Now())
	if flags.Changed("as-of") {
		instant, err := policies.ParseInstant(c.asOf)
		if err != nil {
			return fmt.Errorf("--as-of: %w", err)
		}
		c.instant = instant
		c.notice("evaluated as of %s, not now", c.asOf)
	}
	return nil
}

func (c *check) notice(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(c.result.Notices, text) {
		c.result.Notices = append(c.result.Notices, text)
	}
}

// broken tells what can't be read; the rest is still evaluated.
func (c *check) broken(err *manifest.Error) {
	fmt.Fprintf(c.ErrOut, "error: %v\n", err)
	c.result.Problems = append(c.result.Problems, err.Error())
	if errors.Is(err, manifest.ErrUnreachable) {
		c.unreachable = true
	} else {
		c.bad = true
	}
}

func (c *check) run(ctx context.Context) error {
	rules, err := c.rules.load(ctx, c.In, c.broken)
	if err != nil {
		return err
	}
	for _, n := range rules.notices {
		c.notice("%s", n)
	}
	c.set = rules.compile()
	c.result.Background = c.background(rules.source.Vendors)
	if c.review != "" {
		c.replay(ctx)
	} else {
		c.manifests(ctx)
	}
	c.sum()
	for _, n := range c.result.Notices {
		fmt.Fprintf(c.ErrOut, "notice: %s\n", n)
	}
	if err := output.Print(c.Out, c.format, &c.result, c.colour()); err != nil {
		return err
	}
	return c.exit()
}

// sum completes the result.
func (c *check) sum() {
	r := &c.result
	r.APIVersion, r.Kind = v1alpha1.GroupVersion.String(), output.KindCheck
	r.AsOf, r.RuleSet, r.Instant = c.instant.String(), c.set.Digest(), c.instant
	if c.asOf != "" {
		r.AsOf = c.asOf
	}
	for _, f := range r.Findings {
		switch f.Action {
		case v1alpha1.ActionDeny:
			r.Summary.Deny++
		case v1alpha1.ActionWarn:
			r.Summary.Warn++
		default:
			r.Summary.Audit++
		}
		if f.Evidence == policies.EvidenceUnparsable {
			r.Summary.Unparsable++
		}
	}
}

// background is what the formats tell beyond the JSON.
func (c *check) background(vendors []v1alpha1.RestrictedVendor) output.Background {
	b := output.Background{Vendors: vendors, Problems: c.result.Problems, Made: time.Now(), Version: programVersion()}
	if c.failOn != "None" {
		b.FailOn = v1alpha1.Action(c.failOn)
	}
	return b
}

// exit decides the exit code: what could not be read goes before what could not be
// reached, and that before findings.
func (c *check) exit() error {
	strongest := v1alpha1.ActionAllow
	for _, f := range c.result.Findings {
		strongest = strongest.Stronger(f.Action)
	}
	fails := c.failOn != "None" && strongest.Strength() >= v1alpha1.Action(c.failOn).Strength() && strongest != v1alpha1.ActionAllow
	switch {
	case c.bad:
		return exit(exitBad)
	case c.unreachable:
		return exit(exitUnreachable)
	case fails:
		return exit(exitFindings)
	default:
		return nil
	}
}

// colour says whether the output goes to somebody's terminal who wants colours.
func (c *check) colour() bool {
	file, ok := c.Out.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && term.IsTerminal(int(file.Fd()))
}
