package output

import (
	"cmp"
	"slices"
	"time"

	"embargo.dev/policies"
	"embargo.dev/policies/schedule"
	"embargo.dev/policies/v1alpha1"
)

// exposureView is a row of the picture of what runs where.
type exposureView struct {
	Cluster, Namespace string
	Workloads          int
	Bars               []barView
	Since              string // of the oldest
	Next               string // the earliest next phase
	Waived             int
}

// barView is a part of a bar, in hundredths of the longest.
type barView struct {
	Class    string
	Name     string
	From, To float64
	Count    int
}

// Width is the length of the part.
func (b barView) Width() float64 { return b.To - b.From }

// exposed is a namespace with findings.
type exposed struct {
	exposureView

	workloads map[Image]v1alpha1.Action
	since     time.Time
	next      time.Time
	nextZone  *time.Location
}

// exposure returns the namespaces of a live result that have findings, the most exposed
// first.
func (r *Result) exposure() []exposureView {
	if !r.live() {
		return nil
	}
	zones := r.zones()
	type place struct{ cluster, namespace string }
	places := map[place]*exposed{}
	for _, f := range r.Findings {
		at := place{f.Cluster, f.Namespace}
		if places[at] == nil {
			places[at] = &exposed{exposureView: exposureView{Cluster: f.Cluster, Namespace: f.Namespace}, workloads: map[Image]v1alpha1.Action{}}
		}
		places[at].add(f, zones.of(f))
	}
	list := make([]*exposed, 0, len(places))
	longest := 1
	for _, e := range places {
		list = append(list, e)
		longest = max(longest, len(e.workloads))
	}
	slices.SortFunc(list, func(a, b *exposed) int {
		return cmp.Or(cmp.Compare(len(b.workloads), len(a.workloads)), cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Namespace, b.Namespace))
	})
	views := make([]exposureView, 0, len(list))
	for _, e := range list {
		views = append(views, e.view(longest, r.Instant))
	}
	return views
}

func (e *exposed) add(f Finding, zone *time.Location) {
	object := f.workload()
	e.workloads[object] = f.Action.Stronger(cmp.Or(e.workloads[object], v1alpha1.ActionAllow))
	if f.Waiver != "" {
		e.Waived++
	}
	if f.Since != nil && (e.since.IsZero() || f.Since.Before(e.since)) {
		e.since = *f.Since
	}
	if f.Next != nil && (e.next.IsZero() || f.Next.Effective.Before(e.next)) {
		e.next, e.nextZone = f.Next.Effective, zone
	}
}

func (e *exposed) view(longest int, instant policies.Instant) exposureView {
	v := e.exposureView
	v.Workloads = len(e.workloads)
	if !e.since.IsZero() {
		v.Since = day(e.since, time.UTC)
	}
	if !e.next.IsZero() {
		v.Next = schedule.Deadline(instant.In(e.nextZone), e.next, e.nextZone)
	}
	from := 0.0
	for _, part := range []struct {
		action v1alpha1.Action
		class  string
	}{{v1alpha1.ActionDeny, "deny"}, {v1alpha1.ActionWarn, "warn"}, {v1alpha1.ActionAudit, "audit"}} {
		n := 0
		for _, action := range e.workloads {
			if action == part.action {
				n++
			}
		}
		if n > 0 {
			to := from + 100*float64(n)/float64(longest)
			v.Bars = append(v.Bars, barView{part.class, string(part.action), from, to, n})
			from = to
		}
	}
	return v
}
