package audit

import (
	"cmp"
	"context"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/audit/exposure"
	"embargo.dev/audit/inventory"
	"embargo.dev/policies"
)

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
	e := &exposure.Evaluator{Rules: rules, Inventory: a.inventory, Now: now, Namespace: a.namespace(ctx), Granted: a.options.Granted}
	if rules.Digest() == a.ruleSet {
		e.Last = a.full
	}
	looked := a.takeMarked()
	for _, name := range looked {
		a.lookAt(e, name)
	}
	if len(looked) > 0 || all || a.tally != nil && !slices.Equal(a.tally.Unread, a.unread()) {
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
	for _, name := range append(a.reports.Namespaces(), a.others.Namespaces()...) {
		a.marked[name] = true
	}
}

// again has everything looked at again.
func (a *Auditor) again() {
	a.mu.Lock()
	a.due = time.Time{}
	a.mu.Unlock()
	a.fire()
}

// banDate returns when a restriction begins to refuse new images; "" where it doesn't.
func (a *Auditor) banDate(vendor, restriction string) string {
	if rules := a.options.Rules(); rules != nil {
		return rules.BanDate(vendor, restriction)
	}
	return ""
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
func (a *Auditor) lookAt(e *exposure.Evaluator, name string) {
	var parts []*inventory.Namespace
	for _, part := range a.partsOf(name) {
		if ns := a.inventory.Namespace(part); ns != nil {
			parts = append(parts, ns)
		}
	}
	if len(parts) == 0 && !e.Namespace(name).Known {
		a.drop(name) // it went before what was in it
		return
	}
	findings := e.InNamespace(parts, a.reports.Recall(name))
	if len(findings) == 0 {
		delete(a.results, name)
	} else {
		a.results[name] = summarise(findings, e.Now)
	}
	look := exposure.Look{Namespace: name, RuleSet: e.Rules.Digest(), Now: e.Now, Findings: findings, Unseen: a.unseen()}
	for _, s := range a.sinks {
		s.Publish(look)
	}
}

func (a *Auditor) partsOf(name string) []string {
	if name == a.options.Home {
		return []string{name, metav1.NamespaceNone}
	}
	return []string{name}
}
