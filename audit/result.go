package audit

import (
	"time"

	"embargo.dev/audit/exposure"
	"embargo.dev/policies"
)

// result is what was found in a namespace.
type result struct {
	tally   *policies.Tally
	counts  map[series]int
	late    map[lateSeries]int // what arrived after a ban
	telling time.Time          // when something is next to be told; zero: nothing is
}

// summarise counts findings and finds out when of one something is next to be told.
func summarise(findings []*exposure.Finding, now time.Time) *result {
	r := &result{tally: policies.NewTally(), counts: map[series]int{}, late: map[lateSeries]int{}}
	workloads := map[string]map[exposure.Workload]bool{}
	for _, f := range findings {
		r.tally.Count(&f.Finding)
		r.counts[series{f.Vendor, f.Restriction, f.Phase, f.Action}]++
		if f.ArrivedAfterBan {
			r.late[lateSeries{f.Vendor, f.Restriction}]++
		}
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
	sum.Unread = a.unread()
	a.publishTally(sum)
}
