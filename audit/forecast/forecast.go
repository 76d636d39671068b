package forecast

import (
	"cmp"
	"slices"
	"time"

	"embargo.dev/audit/exposure"
	"embargo.dev/audit/inventory"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// Transition is an instant at which decisions change, with its causes and what it newly
// affects.
type Transition struct {
	Instant  time.Time
	Causes   []policies.Transition
	Affected []Effect
}

// Change is what is done about something just before an instant, and from it on.
type Change struct {
	Before v1alpha1.Action `json:"before"`
	After  v1alpha1.Action `json:"after"`
}

// Reaches reports whether the action is newly reached.
func (c Change) Reaches(action v1alpha1.Action) bool {
	return c.After == action && c.Before != action && c.stronger()
}

func (c Change) stronger() bool { return c.After.Strength() > c.Before.Strength() }

// tells reports whether somebody comes to notice the change: a note in the audit is
// nothing that breaks.
func (c Change) tells() bool {
	return c.stronger() && c.After.Strength() >= v1alpha1.ActionWarn.Strength()
}

// Effect is what a transition does to an image of a workload.
type Effect struct {
	*exposure.Outlook // from the instant on

	// Running, Updated and Restarted are what is done about the image as it runs, about
	// another tag or digest, and about a Pod made in place of one that runs.
	Running, Updated, Restarted Change
}

// Forecaster forecasts what becomes of an inventory under a rule set.
type Forecaster struct {
	Rules     *policies.RuleSet
	Inventory *inventory.Inventory
	// Parts are the namespaces to look at.
	Parts     []*inventory.Namespace
	Namespace func(name string) policies.Namespace
}

// Between returns the transitions after an instant and no later than another, in order
// of time; also those that affect nothing.
func (f *Forecaster) Between(after, until policies.Instant) []Transition {
	var all []Transition
	var before map[exposure.Key]*exposure.Outlook
	for _, causes := range byInstant(f.Rules.Transitions(after, until)) {
		at := causes[0].Instant
		if before == nil {
			before = f.outlooks(at.Add(-time.Nanosecond))
		}
		now := f.outlooks(at)
		all = append(all, Transition{at, causes, compare(before, now)})
		before = now // nothing changes until the next
	}
	return all
}

func byInstant(transitions []policies.Transition) [][]policies.Transition {
	var groups [][]policies.Transition
	for i, t := range transitions {
		if i == 0 || !t.Instant.Equal(transitions[i-1].Instant) {
			groups = append(groups, nil)
		}
		last := len(groups) - 1
		groups[last] = append(groups[last], t)
	}
	return groups
}

func (f *Forecaster) outlooks(at time.Time) map[exposure.Key]*exposure.Outlook {
	e := &exposure.Evaluator{Rules: f.Rules, Inventory: f.Inventory, Now: at, Namespace: f.Namespace}
	return e.Outlooks(f.Parts)
}

// compare returns what is newly warned about or refused, in the order of namespaces and
// workloads.
func compare(before, now map[exposure.Key]*exposure.Outlook) []Effect {
	var affected []Effect
	for key, out := range now {
		was := before[key]
		if was == nil {
			was = &exposure.Outlook{Running: v1alpha1.ActionAllow, Updated: v1alpha1.ActionAllow, Restarted: v1alpha1.ActionAllow}
		}
		e := Effect{
			out, Change{was.Running, out.Running}, Change{was.Updated, out.Updated}, Change{was.Restarted, out.Restarted},
		}
		if e.Running.tells() || e.Updated.tells() || e.Restarted.tells() {
			affected = append(affected, e)
		}
	}
	slices.SortFunc(affected, func(a, b Effect) int {
		return cmp.Or(
			cmp.Compare(a.Workload.Namespace, b.Workload.Namespace), cmp.Compare(a.Workload.Kind, b.Workload.Kind),
			cmp.Compare(a.Workload.Name, b.Workload.Name), cmp.Compare(a.Container, b.Container),
			cmp.Compare(a.Vendor, b.Vendor), cmp.Compare(a.Restriction, b.Restriction),
		)
	})
	return affected
}
