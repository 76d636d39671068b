package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"embargo.dev/cmd/kubectl-embargo/internal/cluster"
	"embargo.dev/cmd/kubectl-embargo/internal/output"
	"embargo.dev/policies/v1alpha1"
)

// live is what commands have in common that evaluate what runs in clusters.
type live struct {
	basis

	flags      *genericclioptions.ConfigFlags
	contexts   []string
	namespaces []string
	all        bool
	failOn     string
	format     string

	surveys []*survey // in the order of the contexts
	vendors []v1alpha1.RestrictedVendor
}

// clustersAtOnce is how many clusters are read at a time.
const clustersAtOnce = 4

func (l *live) addFlags(cmd *cobra.Command, formats []string) {
	l.flags = cluster.NewFlagsForMany()
	f := cmd.Flags()
	f.StringVar(&l.asOf, "as-of", "", asOfUsage)
	f.StringSliceVar(&l.rules.lists, "list", nil, "files with RestrictedVendors, instead of the cluster's; builtin stands for the built-in list")
	l.addNoticeFlags(cmd)
	f.StringSliceVar(&l.rules.policies, "policy", nil, "files with VendorPolicies and VendorWaivers, instead of the cluster's")
	addAudienceFlag(cmd, &l.rules.audiences, audienceUsage)
	f.StringSliceVar(&l.contexts, "context", nil, "contexts of the kubeconfig to read, each with its own rules; default the current one")
	completeWith(cmd, "context", func() []string { return cluster.Contexts(l.flags) })
	f.StringSliceVarP(&l.namespaces, "namespace", "n", nil, "namespaces to read; default the context's")
	f.BoolVarP(&l.all, "all-namespaces", "A", false, "read all namespaces, and what is in none")
	addChoiceFlag(cmd, &l.failOn, "fail-on", "", string(v1alpha1.ActionDeny), "weakest action that makes the exit code 1: Deny, Warn, Audit or None", failOn)
	addChoiceFlag(cmd, &l.format, "output", "o", "table", "output format: "+strings.Join(formats, ", "), formats)
	l.flags.AddFlags(f)
}

// complete checks the usage.
func (l *live) complete(cmd *cobra.Command) error {
	flags := cmd.Flags()
	switch {
	case !slices.Contains(failOn, l.failOn):
		return fmt.Errorf("--fail-on %q: want one of %s", l.failOn, strings.Join(failOn, ", "))
	case l.all && flags.Changed("namespace"):
		return errors.New("--namespace and --all-namespaces exclude one another")
	case slices.Contains(l.namespaces, "") || flags.Changed("namespace") && len(l.namespaces) == 0:
		return errors.New("--namespace: want the name of a namespace")
	case slices.Contains(l.contexts, "") || flags.Changed("context") && len(l.contexts) == 0:
		return errors.New("--context: want the name of a context")
	}
	for i, name := range l.contexts {
		if slices.Contains(l.contexts[:i], name) {
			return fmt.Errorf("--context %q: given twice", name)
		}
	}
	return l.basis.complete(flags)
}

// survey reads all clusters, some at a time.
func (l *live) survey(ctx context.Context) error {
	ctx = cluster.Quiet(ctx)
	given := l.rules.readFiles(ctx, l.In, l.broken)
	for _, n := range given.notices {
		l.notice("%s", n)
	}
	given.notices = nil
	contexts := l.contexts
	if len(contexts) == 0 {
		contexts = []string{""}
	}
	meter := newMeter(l.ErrOut)
	l.surveys = make([]*survey, len(contexts))
	var group errgroup.Group
	group.SetLimit(clustersAtOnce)
	for i, name := range contexts {
		l.surveys[i] = l.newSurvey(name)
		group.Go(func() error {
			l.surveys[i].take(ctx, *given, meter)
			return nil
		})
	}
	_ = group.Wait() // none fails: what went wrong is in each survey
	meter.clear()
	var vendors []v1alpha1.RestrictedVendor
	known := false
	for _, s := range l.surveys {
		l.merge(s)
		vendors, known = append(vendors, s.vendors...), known || s.set != nil
	}
	if ctx.Err() != nil {
		return exit(exitInterrupted)
	}
	if !known {
		return nil // no cluster says what its list has
	}
	return checkAudiences(l.rules.audiences, vendors)
}

// merge takes over what there was to remark of a cluster.
func (l *live) merge(s *survey) {
	for _, e := range s.errors {
		if !slices.Contains(l.errors, e) {
			l.errors = append(l.errors, e)
			fmt.Fprintf(l.ErrOut, "error: %s\n", e)
		}
	}
	l.bad, l.unreachable = l.bad || s.bad, l.unreachable || s.unreachable
	for _, n := range s.notices {
		if len(l.contexts) > 1 && !strings.Contains(n, "cluster "+s.name()) {
			n = fmt.Sprintf("cluster %s: %s", s.name(), n)
		}
		l.notice("%s", n)
	}
	for i := range s.vendors {
		l.addVendor(&s.vendors[i])
	}
}

// addVendor keeps the first of each name, for its citations and schedule.
func (l *live) addVendor(v *v1alpha1.RestrictedVendor) {
	if !slices.ContainsFunc(l.vendors, func(o v1alpha1.RestrictedVendor) bool { return o.Name == v.Name }) {
		l.vendors = append(l.vendors, *v)
	}
}

// clusters says of each cluster how much was read, and names the rule sets.
func (l *live) clusters() (clusters []output.Cluster, total output.Summary, ruleSet string) {
	var digests []string
	for _, s := range l.surveys {
		if s.seen == nil {
			clusters = append(clusters, output.Cluster{Name: s.name()})
			continue
		}
		one := output.Cluster{Name: s.name(), RuleSet: s.set.Digest(), Complete: len(s.errors) == 0}
		one.Objects, one.Images = s.count()
		total.Objects += one.Objects
		total.Images += one.Images
		if !slices.Contains(digests, one.RuleSet) {
			digests = append(digests, one.RuleSet)
		}
		clusters = append(clusters, one)
	}
	return clusters, total, strings.Join(digests, ",")
}
