package command

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"embargo.dev/audit/exposure"
	"embargo.dev/audit/inventory"
	"embargo.dev/cmd/kubectl-embargo/internal/output"
	"embargo.dev/cmd/kubectl-embargo/internal/terminal"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/policies/workload"
)

// auditing evaluates what runs.
type auditing struct {
	live

	result output.Result
}

func newAudit(name string, streams genericiooptions.IOStreams) *cobra.Command {
	a := &auditing{live: live{basis: basis{IOStreams: streams}}}
	cmd := &cobra.Command{
		Use:   "audit [-A|-n NAMESPACE...]",
		Short: "Evaluate what runs in a cluster now",
		Long: `Evaluate what runs in one cluster or several: which workloads have images of
restricted vendors, since when, which restriction binds them, and what comes next.
A workload is what people made, such as a Deployment: its ReplicaSets and Pods count as
part of it. The rules are each cluster's own, unless --list or --policy are given.

What runs is evaluated as an update would be that leaves it as it is, which is never
refused: the strongest action is therefore Warn, also for what could no longer be newly
introduced. The column RESTART of -o wide says what would become of a Pod made anew, and
forecast what each coming date brings. Pipelines that are to fail use --fail-on Warn.

Where a namespace or a resource may not be read, or a cluster can't be reached, the rest
is evaluated all the same.

Exit codes: 0 nothing at or above --fail-on, 1 findings at or above it, 2 bad usage or
input that can't be read, 3 something that can't be reached or may not be read.`,
		Example: examples(name, `
			# What runs in the namespace of the current context
			%[1]s audit

			# In all namespaces, as a page to hand on
			%[1]s audit -A -o html > audit.html

			# In two clusters, for a spreadsheet
			%[1]s audit -A --context production,staging -o csv

			# What would be said on the day on which updates stop
			%[1]s audit -A --as-of 2024-09-29

			# By another policy than the cluster's
			%[1]s audit -n mail --policy stricter.yaml --fail-on Warn`),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := output.CheckFormat(a.format, true); err != nil {
				return err
			}
			if err := a.complete(cmd); err != nil {
				return err
			}
			return a.run(cmd.Context())
		},
	}
	a.addFlags(cmd, output.Formats(true))
	return cmd
}

func (a *auditing) run(ctx context.Context) error {
	if err := a.survey(ctx); err != nil {
		return err
	}
	for _, s := range a.surveys {
		if s.seen != nil {
			a.evaluate(s)
		}
	}
	r := &a.result
	r.APIVersion, r.Kind = v1alpha1.GroupVersion.String(), output.KindAudit
	r.Clusters, r.Summary, r.RuleSet = a.clusters()
	r.AsOf, r.Notices = a.asked(), a.notices
	images := r.Images
	r.Background = a.background(a.failOn, a.vendors)
	r.NotLookedFor = a.notLookedFor()
	r.Instant, r.Errors, r.Images = a.instant, a.errors, images
	r.Count()
	a.tell()
	if err := output.Print(a.Out, a.format, r, terminal.Colour(a.Out)); err != nil {
		return err
	}
	return a.verdict(a.failOn, r.Strongest())
}

// evaluate adds what is found in a cluster.
func (a *auditing) evaluate(s *survey) {
	e := s.evaluator()
	for _, part := range s.parts() {
		found := e.InNamespace([]*inventory.Namespace{part}, s.seen.Reports.Recall(part.Name))
		decision := policies.Decision{}
		for _, f := range found {
			decision.Findings = append(decision.Findings, f.Finding)
			a.result.Findings = append(a.result.Findings, findingOf(s.name(), f))
		}
		for _, n := range decision.Notices() {
			a.notice("%s", n)
		}
	}
	if output.NeedsImages(a.format) {
		s.seen.Inventory.Objects(func(o *inventory.Object) bool {
			a.addImages(s, o)
			return true
		})
		a.result.SortImages()
	}
}

func (s *survey) evaluator() *exposure.Evaluator {
	return &exposure.Evaluator{
		Rules: s.set, Inventory: s.seen.Inventory, Now: s.instant.In(time.UTC), AsOf: s.instant, Namespace: s.namespace,
	}
}

// addImages adds the images of a workload that nothing owns.
func (a *auditing) addImages(s *survey, o *inventory.Object) {
	if top := s.seen.Inventory.Top(o); top.Object != o {
		return
	}
	identity := output.Finding{
		Cluster: s.name(), APIVersion: o.Kind.GroupVersion().String(), Kind: o.Kind.Kind, Namespace: o.Namespace.Name, Name: o.Name,
	}
	images := make([]workload.Image, 0, len(o.Body.Places))
	for i := range o.Body.Places {
		images = append(images, o.Body.Places[i].Image)
	}
	a.result.AddImages(identity, images)
}

// findingOf says of a finding what there is to say. What is first seen in this moment
// says nothing about its age.
func findingOf(clusterName string, f *exposure.Finding) output.Finding {
	one := output.Finding{
		Cluster: clusterName, APIVersion: f.Workload.APIVersion, Kind: f.Workload.Kind, Namespace: f.Workload.Namespace, Name: f.Workload.Name,
		Finding: f.Finding,
		Running: output.Running{
			ArrivedAfterBan: f.ArrivedAfterBan, Carrier: f.Carrier, Pods: f.Pods, Node: f.Node, Digests: f.Digests, ConfigDigests: f.ConfigDigests,
			UpdatedFrom: f.UpdatedFrom, Admission: f.Admission, AlsoNamed: f.AlsoNamed, RestartAction: f.RestartAction, RestartOwner: f.RestartOwner,
		},
	}
	if f.SinceFrom != v1alpha1.SinceFirstSeen || f.Known {
		since := f.Since.UTC()
		one.Since, one.SinceFrom = &since, f.SinceFrom
	}
	return one
}
