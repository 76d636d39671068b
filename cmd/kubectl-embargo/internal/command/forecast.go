package command

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"embargo.dev/audit/exposure"
	"embargo.dev/audit/forecast"
	"embargo.dev/audit/inventory"
	"embargo.dev/cmd/kubectl-embargo/internal/output"
	"embargo.dev/cmd/kubectl-embargo/internal/terminal"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// forecasting says what becomes of what runs.
type forecasting struct {
	live

	untilText string
	until     policies.Instant
	result    output.Forecast
}

func newForecast(name string, streams genericiooptions.IOStreams) *cobra.Command {
	f := &forecasting{live: live{basis: basis{IOStreams: streams}}}
	cmd := &cobra.Command{
		Use:   "forecast [--until DATE] [-A|-n NAMESPACE...]",
		Short: "Tell what coming dates bring for what runs",
		Long: `List each coming transition, a phase that begins or a waiver that expires, in order of
time, with the running workloads that it newly affects: those that are then warned
about as they run, and those of which an update, or a Pod made in place of one that
runs, is then warned about or refused. What a date leaves as it was isn't listed.

Days left are counted in the restriction's zone. With a policy's lead time a phase
begins earlier than by law.

Exit codes: 0 nothing at or above --fail-on, 1 a transition that brings it, 2 bad usage
or input that can't be read, 3 something that can't be reached or may not be read.`,
		Example: examples(name, `
			# What the next year breaks in the cluster
			%[1]s forecast -A

			# Up to the end of the quarter, as a page to hand on
			%[1]s forecast -A --until 2025-03-31 -o html > forecast.html

			# Fail a pipeline where something is refused within the next release
			%[1]s forecast -n mail --until 2025-01-15 --fail-on Deny`),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.complete(cmd); err != nil {
				return err
			}
			return f.run(cmd.Context())
		},
	}
	f.addFlags(cmd, output.ForecastFormats())
	cmd.Flags().StringVar(&f.untilText, "until", "", "last instant (RFC 3339), or date, that is looked at; default one year on")
	return cmd
}

// complete checks the usage.
func (f *forecasting) complete(cmd *cobra.Command) error {
	if err := output.CheckForecastFormat(f.format); err != nil {
		return err
	}
	if err := f.live.complete(cmd); err != nil {
		return err
	}
	if !cmd.Flags().Changed("until") {
		f.untilText = f.instant.In(time.UTC).AddDate(1, 0, 0).Format(time.DateOnly)
	}
	until, err := policies.ParseInstant(f.untilText)
	if err != nil {
		return fmt.Errorf("--until: %w", err)
	}
	if !until.In(time.UTC).After(f.instant.In(time.UTC)) {
		return fmt.Errorf("--until %s: want a later instant than %s, from which on is looked", f.untilText, f.asked())
	}
	f.until = until
	return nil
}

func (f *forecasting) run(ctx context.Context) error {
	if err := f.survey(ctx); err != nil {
		return err
	}
	r := &f.result
	for _, s := range f.surveys {
		if s.seen != nil {
			f.foresee(s)
		}
	}
	clusters, total, ruleSet := f.clusters()
	r.APIVersion, r.Kind, r.AsOf, r.Until, r.RuleSet = v1alpha1.GroupVersion.String(), output.KindForecast, f.asked(), f.untilText, ruleSet
	r.Clusters, r.Summary.Objects, r.Summary.Images = clusters, total.Objects, total.Images
	r.Background = f.background(f.failOn, f.vendors)
	r.Notices, r.Errors, r.Instant = f.notices, slices.Concat([]output.InputError{}, f.errors), f.instant
	r.Count()
	f.tell()
	if err := output.PrintForecast(f.Out, f.format, r, terminal.Colour(f.Out)); err != nil {
		return err
	}
	return f.verdict(f.failOn, r.Strongest())
}

// foresee adds what is to come in a cluster.
func (f *forecasting) foresee(s *survey) {
	forecaster := &forecast.Forecaster{Rules: s.set, Inventory: s.seen.Inventory, Parts: s.parts(), Namespace: s.namespace}
	for _, t := range forecaster.Between(f.instant, f.until) {
		if t.Causes = s.withoutIdleWaivers(t); len(t.Causes) == 0 {
			continue
		}
		one := output.Transition{At: t.Instant, Days: t.Causes[0].Days, Left: t.Instant.Sub(f.instant.In(time.UTC)), Zone: t.Causes[0].Zone}
		for _, c := range t.Causes {
			cause := causeOf(s.name(), c)
			one.Causes = append(one.Causes, cause)
			if doubt := policies.DateDoubt(cause.Vendor, cause.Restriction, cause.Phase, cause.Verification); doubt != "" {
				f.notice("%s", doubt)
			}
		}
		for _, e := range t.Affected {
			one.Affected = append(one.Affected, affectedOf(s.name(), e))
		}
		f.result.Add(one)
	}
}

// withoutIdleWaivers returns the causes of a transition but for waivers that cover nothing
// that runs: when one of them expires, nothing changes.
func (s *survey) withoutIdleWaivers(t forecast.Transition) []policies.Transition {
	isWaiver := func(c policies.Transition) bool { return c.Phase == nil }
	if !slices.ContainsFunc(t.Causes, isWaiver) {
		return t.Causes
	}
	before := t.Instant.Add(-time.Nanosecond)
	unknown := func(exposure.Key, exposure.Workload) (exposure.Memory, bool) { return exposure.Memory{}, false }
	covering := map[string]bool{}
	e := s.evaluator()
	e.Now, e.AsOf = before, policies.At(before)
	for _, part := range s.parts() {
		for _, f := range e.InNamespace([]*inventory.Namespace{part}, unknown) {
			covering[f.Waiver] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(t.Causes), func(c policies.Transition) bool { return isWaiver(c) && !covering[c.Waiver] })
}

func causeOf(clusterName string, t policies.Transition) output.Cause {
	c := output.Cause{
		Type: output.WaiverExpires, Clusters: []string{clusterName}, Vendor: t.Vendor, Restriction: t.Restriction,
		On: t.Instant.In(t.Zone).Format(time.DateOnly), Citation: t.Citation, Policies: t.Policies, Waiver: t.Waiver,
	}
	if t.Phase != nil {
		effective := t.Phase.Instant
		c.Type, c.Phase, c.Effective, c.Summary = output.PhaseBegins, t.Phase.Phase.Phase, &effective, t.Phase.Summary
		c.Verification = t.Phase.Verification
	}
	return c
}

func affectedOf(clusterName string, e forecast.Effect) output.Affected {
	a := output.Affected{
		Finding: output.Finding{
			Cluster: clusterName, APIVersion: e.Workload.APIVersion, Kind: e.Workload.Kind, Namespace: e.Workload.Namespace, Name: e.Workload.Name,
			Finding: e.Finding, Running: output.Running{Carrier: e.Carrier},
		},
		Continue: e.Running, Update: e.Updated, Restart: e.Restarted,
	}
	if !e.Since.IsZero() {
		since := e.Since.UTC()
		a.Since, a.SinceFrom = &since, e.From
	}
	a.Effects, a.Action = output.EffectsOf(e.Running, e.Updated, e.Restarted)
	return a
}
