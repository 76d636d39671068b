package preview

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"embargo.dev/internal/display"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// Previewer previews. What it may cost is bounded: a writer waits for it.
type Previewer struct {
	// Cache has the namespaces.
	Cache client.Reader
	// Live lists workloads from the API server.
	Live client.Reader
	// Audited returns up to so many workloads that the audit of this replica knows, and
	// whether those are all; false at the end where this replica doesn't audit. Unset,
	// it doesn't.
	Audited func(limit int) (found []Workload, all, ok bool)
	// Budget reports whether the caller may have a preview made, and returns a function for
	// its end. Unset, everybody may.
	Budget func(context.Context) (done func(), ok bool)
	// Clock tells now.
	Clock func() time.Time
	// Limit is how many objects are looked at.
	Limit int
	// Timeout is how long that may take.
	Timeout time.Duration

	busy chan struct{}
}

// New returns a Previewer that looks at up to 3,000 objects for up to a second, as
// Kubernetes' own Pod Security admission does.
func New(cache, live client.Reader, clock func() time.Time) *Previewer {
	return &Previewer{Cache: cache, Live: live, Clock: clock, Limit: 3000, Timeout: time.Second, busy: make(chan struct{}, 1)}
}

// Vendor says what a restricted vendor would do beside the policies and waivers.
func (p *Previewer) Vendor(ctx context.Context, v *v1alpha1.RestrictedVendor, vendorPolicies []v1alpha1.VendorPolicy, waivers []v1alpha1.VendorWaiver) []string {
	return p.preview(ctx, policies.Source{Vendors: []v1alpha1.RestrictedVendor{*v}, Policies: vendorPolicies, Waivers: waivers}, binds, "--list FILE")
}

// Policy says what a policy alone would do with the vendors and waivers. The mirrors of
// the other policies count, since those are facts about the cluster.
func (p *Previewer) Policy(ctx context.Context, vp *v1alpha1.VendorPolicy, vendors []v1alpha1.RestrictedVendor, others []v1alpha1.VendorPolicy, waivers []v1alpha1.VendorWaiver) []string {
	all := []v1alpha1.VendorPolicy{*vp}
	for _, other := range others {
		if other.Name != vp.Name {
			all = append(all, other)
		}
	}
	return p.preview(ctx, policies.Source{Vendors: vendors, Policies: all, Waivers: waivers}, func(f policies.Finding) bool {
		return binds(f) && slices.Contains(f.Policies, vp.Name)
	}, "--policy FILE")
}

// Waiver says what a waiver would cover.
func (p *Previewer) Waiver(ctx context.Context, w *v1alpha1.VendorWaiver, vendors []v1alpha1.RestrictedVendor, vendorPolicies []v1alpha1.VendorPolicy) []string {
	return p.preview(ctx, policies.Source{Vendors: vendors, Policies: vendorPolicies, Waivers: []v1alpha1.VendorWaiver{*w}}, func(f policies.Finding) bool {
		return f.Waiver == w.Name
	}, "--policy FILE,POLICIES")
}

// binds leaves out what no vendor's restriction is the reason of.
func binds(f policies.Finding) bool { return f.Vendor != "" }

// preview evaluates the workloads now and at the next transition. It answers whatever
// happens: a preview must not be in the way of what it previews. It gives numbers and no
// names: whoever reaches the webhook may ask, and may not be allowed to read workloads.
// The flags are those by which the command line gives the names.
func (p *Previewer) preview(ctx context.Context, source policies.Source, about func(policies.Finding) bool, flags string) []string {
	if p.Budget != nil {
		done, ok := p.Budget(ctx)
		if !ok {
			return []string{"no preview: this address has had many made; try again in a minute"}
		}
		defer done()
	}
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	select {
	case p.busy <- struct{}{}:
		defer func() { <-p.busy }()
	case <-ctx.Done():
		return []string{"no preview: others are being made"}
	}
	found, all, err := p.listed(ctx)
	if err != nil {
		return []string{fmt.Sprintf("no preview: %v", err)}
	}
	rules, _ := policies.Compile(source) // what doesn't compile was refused or is told elsewhere
	views := []*view{{when: "now", at: p.Clock()}}
	if next, ok := rules.NextTransition(views[0].at); ok {
		views = append(views, &view{when: "from " + next.UTC().Format(time.RFC3339), at: next})
	}
	seen := look(ctx, rules, found, about, views)
	var lines []string
	for _, v := range views {
		lines = append(lines, v.describe()...)
	}
	extent := display.Count(seen, "workload") + " looked at"
	if !all || seen < len(found) {
		extent += ", there are more"
	}
	if len(lines) == 0 {
		return []string{fmt.Sprintf("preview: no workload is affected (%s)", extent)}
	}
	lines = append([]string{fmt.Sprintf("preview of what this does to workloads that are there (%s):", extent)}, lines...)
	return append(lines, fmt.Sprintf("their names, with your own rights: kubectl embargo audit -A %[1]s; for coming dates: kubectl embargo forecast -A %[1]s", flags))
}

// listed returns the workloads to look at. Listing them may take the most of the time;
// the rest is for looking.
func (p *Previewer) listed(ctx context.Context) (found []looked, all bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.Timeout*3/4)
	defer cancel()
	return p.workloads(ctx)
}

// effect is what becomes of a workload.
type effect struct{ update, goesOn v1alpha1.Action }

// view is how many workloads are affected at an instant, by effect.
type view struct {
	when   string
	at     time.Time
	counts map[effect]*count
}

// count is a number of workloads, and the namespaces that they are in.
type count struct {
	workloads  int
	namespaces map[string]bool
}

// look looks at the workloads until the context ends, and returns at how many.
func look(ctx context.Context, rules *policies.RuleSet, found []looked, about func(policies.Finding) bool, views []*view) int {
	for i, l := range found {
		if ctx.Err() != nil {
			return i
		}
		for _, v := range views {
			v.add(rules, l, about)
		}
	}
	return len(found)
}

func (v *view) add(rules *policies.RuleSet, l looked, about func(policies.Finding) bool) {
	e := effect{
		update: strongest(rules, l, policies.UseUpdate, v.at, about),
		goesOn: strongest(rules, l, policies.UseContinue, v.at, about),
	}
	if e == (effect{v1alpha1.ActionAllow, v1alpha1.ActionAllow}) {
		return
	}
	if v.counts == nil {
		v.counts = map[effect]*count{}
	}
	if v.counts[e] == nil {
		v.counts[e] = &count{namespaces: map[string]bool{}}
	}
	v.counts[e].workloads++
	v.counts[e].namespaces[l.namespace.Name] = true
}

func strongest(rules *policies.RuleSet, l looked, use policies.Use, at time.Time, about func(policies.Finding) bool) v1alpha1.Action {
	action := v1alpha1.ActionAllow
	request := policies.Request{Operation: policies.Create, Kind: l.kind, Namespace: l.namespace, Object: l.object, AssumeUse: use}
	for _, f := range rules.Evaluate(request, policies.At(at)).Findings {
		if about(f) {
			action = action.Stronger(f.Action)
		}
	}
	return action
}

// describe writes a line for each effect, the strongest first.
func (v *view) describe() []string {
	order := make([]effect, 0, len(v.counts))
	for e := range v.counts {
		order = append(order, e)
	}
	slices.SortFunc(order, func(a, b effect) int {
		return cmp.Or(cmp.Compare(b.update.Strength(), a.update.Strength()), cmp.Compare(b.goesOn.Strength(), a.goesOn.Strength()))
	})
	var lines []string
	for _, e := range order {
		c := v.counts[e]
		lines = append(lines, fmt.Sprintf("%s: updates %s, restarts %s: %s in %s", v.when, outcomes[e.update], outcomes[e.goesOn],
			display.Count(c.workloads, "workload"), display.Count(len(c.namespaces), "namespace")))
	}
	return lines
}

// outcomes say what an action means for a request.
var outcomes = map[v1alpha1.Action]string{
	v1alpha1.ActionAllow: "allowed", v1alpha1.ActionAudit: "audited", v1alpha1.ActionWarn: "warned about", v1alpha1.ActionDeny: "refused",
}
