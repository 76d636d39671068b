package audit

import (
	"cmp"
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/audit/exposure"
	"embargo.dev/audit/inventory"
	"embargo.dev/policies"
)

// result is what was found in a namespace.
type result struct {
	tally   *policies.Tally
	counts  map[series]int
	telling time.Time // when something is next to be told; zero: nothing is
}

// look looks at what may be otherwise than before, and returns how long to wait for the
// next look without a cause: until the next transition, where that comes first.
func (a *Auditor) look(ctx context.Context) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	rules := a.options.Rules()
	if rules == nil || !a.ready() {
		return resync // whatever is missing wakes the loop when it comes
	}
	began := time.Now()
	now := a.options.Clock()
	all := rules.Digest() != a.ruleSet || !now.Before(a.due)
	if all {
		a.judge(rules, now)
	}
	a.markTellings(now)
	e := &exposure.Evaluator{Rules: rules, Inventory: a.inventory, Now: now, Namespace: a.namespace(ctx)}
	looked := a.takeMarked()
	for _, name := range looked {
		a.lookAt(ctx, e, name)
	}
	if len(looked) > 0 || all {
		a.sum()
	}
	if all {
		a.ruleSet, a.full, a.duration = rules.Digest(), now, time.Since(began)
		a.due = nextFull(rules, now)
		if a.startup == 0 {
			a.startup = time.Since(a.began)
		}
		durations.Observe(a.duration.Seconds())
		logf.FromContext(ctx).V(1).Info("audited", "objects", a.inventory.Len(), "namespaces", len(looked), "in", a.duration.String())
	}
	return max(0, a.next().Sub(now))
}

// judge tells anew which images are suspicious, and has everything looked at, also where
// nothing is left but a report.
func (a *Auditor) judge(rules *policies.RuleSet, now time.Time) {
	a.inventory.Judge(exposure.Suspicious(rules, now))
	for _, name := range a.reports.Namespaces() {
		a.marked[name] = true
	}
}

// nextFull returns when everything is to be looked at again.
func nextFull(rules *policies.RuleSet, now time.Time) time.Time {
	due := now.Add(resync)
	if next, ok := rules.NextTransition(now); ok && next.Before(due) {
		return next
	}
	return due
}

// next returns when something is to be done though nothing changes.
func (a *Auditor) next() time.Time {
	next := a.due
	for _, r := range a.results {
		if !r.telling.IsZero() && r.telling.Before(next) {
			next = r.telling
		}
	}
	return next
}

// markTellings marks namespaces of which something is due to be told.
func (a *Auditor) markTellings(now time.Time) {
	for name, r := range a.results {
		if !r.telling.IsZero() && !r.telling.After(now) {
			a.marked[name] = true
		}
	}
}

// takeMarked returns the namespaces that are to be looked at. What is in none is looked
// at with Embargo's own.
func (a *Auditor) takeMarked() []string {
	for _, name := range a.inventory.Dirty() {
		a.marked[cmp.Or(name, a.options.Home)] = true
	}
	names := make([]string, 0, len(a.marked))
	for name := range a.marked {
		names = append(names, name)
	}
	clear(a.marked)
	return names
}

// lookAt evaluates a namespace and hands on what is found there.
func (a *Auditor) lookAt(ctx context.Context, e *exposure.Evaluator, name string) {
	var parts []*inventory.Namespace
	for _, part := range a.partsOf(name) {
		if ns := a.inventory.Namespace(part); ns != nil {
			parts = append(parts, ns)
		}
	}
	findings := e.InNamespace(parts, a.reports.Recall(name))
	if len(findings) == 0 {
		delete(a.results, name)
	} else {
		a.results[name] = summarise(findings, e.Now)
	}
	for _, s := range a.sinks {
		s.Publish(ctx, name, e.Rules.Digest(), findings, e.Now)
	}
}

func (a *Auditor) partsOf(name string) []string {
	if name == a.options.Home {
		return []string{name, metav1.NamespaceNone}
	}
	return []string{name}
}

// summarise counts findings and finds out when of one something is next to be told.
func summarise(findings []*exposure.Finding, now time.Time) *result {
	r := &result{tally: policies.NewTally(), counts: map[series]int{}}
	workloads := map[string]map[exposure.Workload]bool{}
	for _, f := range findings {
		r.tally.Count(&f.Finding)
		r.counts[series{f.Vendor, f.Restriction, f.Phase, f.Action}]++
		if workloads[f.Vendor] == nil {
			workloads[f.Vendor] = map[exposure.Workload]bool{}
		}
		workloads[f.Vendor][f.Workload] = true
		if at, ok := f.NextTelling(now); ok && (r.telling.IsZero() || at.Before(r.telling)) {
			r.telling = at
		}
	}
	for vendor, of := range workloads {
		if vendor != "" {
			r.tally.CountNamespace(vendor, len(of))
		}
	}
	return r
}

// sum adds up what was found in all namespaces.
func (a *Auditor) sum() {
	sum := policies.NewTally()
	for _, r := range a.results {
		sum.Add(r.tally)
	}
	a.publishTally(sum)
}

// namespace returns how namespaces are looked up: in the cache, where all are.
func (a *Auditor) namespace(ctx context.Context) func(string) policies.Namespace {
	return func(name string) policies.Namespace {
		if name == "" {
			return policies.Namespace{}
		}
		ns := &metav1.PartialObjectMetadata{}
		ns.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
		if err := a.options.Namespaces.Get(ctx, client.ObjectKey{Name: name}, ns); err != nil {
			return policies.Namespace{Name: name} // as admission does, every policy is taken to select it
		}
		return policies.Namespace{Name: name, Labels: ns.Labels, Known: true}
	}
}

// watchNamespaces has a namespace looked at when its labels change, and forgotten when
// it goes.
func (a *Auditor) watchNamespaces(ctx context.Context) error {
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	informer, err := a.options.Namespaces.GetInformer(ctx, object)
	if err != nil {
		return fmt.Errorf("watching namespaces: %w", err)
	}
	mark := func(o any) { a.mark(nameOf(o)) }
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    mark,
		UpdateFunc: func(_, o any) { mark(o) },
		DeleteFunc: func(o any) { a.forget(nameOf(o)) },
	})
	return err
}

func nameOf(o any) string {
	key, err := toolscache.DeletionHandlingMetaNamespaceKeyFunc(o)
	if err != nil {
		return ""
	}
	return key
}

func (a *Auditor) mark(name string) {
	a.mu.Lock()
	a.inventory.Mark(name)
	dirty := a.inventory.HasDirty()
	a.mu.Unlock()
	if dirty {
		a.fire()
	}
}

func (a *Auditor) forget(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.results, name)
	for _, s := range a.sinks {
		s.Forget(name)
	}
	a.sum()
}
