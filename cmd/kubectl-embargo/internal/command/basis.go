package command

import (
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"embargo.dev/cmd/kubectl-embargo/internal/manifest"
	"embargo.dev/cmd/kubectl-embargo/internal/output"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// basis is what commands that evaluate have in common: by which rules, at which
// instant, and what there was to remark.
type basis struct {
	genericiooptions.IOStreams
	shortfall

	asOf  string
	quiet bool
	rules rulesOptions

	instant policies.Instant
	notices []string
	errors  []output.InputError // what could not be read or reached
}

const (
	asOfUsage     = "instant (RFC 3339), or date (the first instant of that day in each restriction's zone); default now"
	listUsage     = "files with RestrictedVendors, instead of the built-in list; builtin stands for that list, so that files can add to it"
	policyUsage   = "files with VendorPolicies and VendorWaivers, instead of the default policy"
	audienceUsage = "audiences, instead of the policies'"
)

func (b *basis) addFlags(cmd *cobra.Command) {
	b.addListFlags(cmd)
	cmd.Flags().StringSliceVar(&b.rules.policies, "policy", nil, policyUsage)
	addAudienceFlag(cmd, &b.rules.audiences, audienceUsage)
}

// addListFlags adds the flags of commands that know no policy.
func (b *basis) addListFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&b.asOf, "as-of", "", asOfUsage)
	cmd.Flags().StringSliceVar(&b.rules.lists, "list", nil, listUsage)
	b.addNoticeFlags(cmd)
}

// addNoticeFlags adds the flags that say which notices there are.
func (b *basis) addNoticeFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&b.quiet, "quiet", "q", false, "print no notices; structured output has them all the same")
	cmd.Flags().BoolVarP(&b.rules.verbose, "verbose", "v", false, "also remark on what is odd about vendors that no file gives, such as those that no image is recognised by")
}

// complete checks what the rules come from, and reads the instant. Other sources are those
// that the command reads besides.
func (b *basis) complete(flags *pflag.FlagSet, others ...string) error {
	if err := b.rules.check(flags, others); err != nil {
		return err
	}
	b.instant = policies.At(time.Now())
	if !flags.Changed("as-of") {
		return nil
	}
	instant, err := policies.ParseInstant(b.asOf)
	if err != nil {
		return fmt.Errorf("--as-of: %w", err)
	}
	if instant.In(time.UTC).Year() > 9999 {
		return fmt.Errorf("--as-of %s: want an instant before the year 10000 in UTC, which can be written down", b.asOf)
	}
	b.instant = instant
	b.notice("evaluated as of %s, not now", b.asOf)
	return nil
}

// asked is the instant as it was asked for.
func (b *basis) asked() string {
	if b.asOf != "" {
		return b.asOf
	}
	return b.instant.String()
}

func (b *basis) notice(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(b.notices, text) {
		b.notices = append(b.notices, text)
	}
}

// tell writes the notices where they don't mix with the output.
func (b *basis) tell() {
	if b.quiet {
		return
	}
	for _, n := range b.notices {
		fmt.Fprintf(b.ErrOut, "notice: %s\n", n)
	}
}

// broken tells what can't be read; the rest is still evaluated.
func (b *basis) broken(err *manifest.Error) {
	fmt.Fprintf(b.ErrOut, "error: %v\n", err)
	b.errors = append(b.errors, output.InputError{File: err.File, Line: err.Line, Message: err.Err.Error()})
	b.mark(err)
}

// unfollowed notes a folder that isn't read.
func (b *basis) unfollowed(folder string) { b.notice("%s", unfollowed(folder)) }

func unfollowed(folder string) string {
	return fmt.Sprintf("folder %s is a symbolic link: what is in it isn't read", folder)
}

// unread tells, once, what of the cluster can't be read.
func (b *basis) unread(err error) {
	b.mark(err)
	if e := (output.InputError{Message: err.Error()}); !slices.Contains(b.errors, e) {
		b.errors = append(b.errors, e)
		fmt.Fprintf(b.ErrOut, "error: %v\n", err)
	}
}

// verdict decides the exit code: what could not be read goes before what could not be
// reached, and that before findings.
func (b *basis) verdict(failOn string, strongest v1alpha1.Action) error {
	if err := b.exit(); err != nil {
		return err
	}
	if failOn != "None" && strongest.Strength() >= v1alpha1.Action(failOn).Strength() && strongest != v1alpha1.ActionAllow {
		return exit(exitFindings)
	}
	return nil
}

// noteExpired notes waivers that no longer count, in the words of a decision that would
// have followed them.
func (b *basis) noteExpired(waivers []v1alpha1.VendorWaiver) {
	for i := range waivers {
		if expires, now := waivers[i].Spec.Expires.UTC(), b.instant.In(time.UTC); !expires.After(now) {
			b.notice("%s", policies.ExpiredWaiver(waivers[i].Name, expires, now))
		}
	}
}

// background is what the formats tell beyond the JSON.
func (b *basis) background(failOn string, vendors []v1alpha1.RestrictedVendor) output.Background {
	background := output.Background{Vendors: vendors, Made: time.Now(), Version: thisVersion().GitVersion}
	if failOn != "None" {
		background.FailOn = v1alpha1.Action(failOn)
	}
	return background
}
