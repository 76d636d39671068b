package audit

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"embargo.dev/policies/v1alpha1"
)

// series is the labels of a series of findings: none of them grows with the cluster.
type series struct {
	vendor, restriction, phase string
	action                     v1alpha1.Action
}

// lateSeries is the labels of a series of findings that arrived after a ban.
type lateSeries struct{ vendor, restriction string }

var durations = prometheus.NewHistogram(prometheus.HistogramOpts{
	Name:    "embargo_audit_duration_seconds",
	Help:    "How long it took to look at everything.",
	Buckets: []float64{.001, .005, .01, .05, .1, .5, 1, 5, 10, 30},
})

var (
	findingsDesc = prometheus.NewDesc("embargo_findings", "Findings of the audit, by vendor, restriction, phase in force and action.",
		[]string{"vendor", "restriction", "phase", "action"}, nil)
	lateDesc = prometheus.NewDesc("embargo_findings_arrived_after_ban", "Findings whose image arrived after new ones were banned, without a waiver, by vendor and restriction.",
		[]string{"vendor", "restriction"}, nil)
	transitionDesc = prometheus.NewDesc("embargo_next_transition_seconds", "Seconds until the next phase begins or waiver expires; absent where none is to come.", nil, nil)
	ageDesc        = prometheus.NewDesc("embargo_audit_age_seconds", "Seconds since everything was last looked at.", nil, nil)
	startupDesc    = prometheus.NewDesc("embargo_audit_startup_seconds", "How long it took this leader to list everything and look at it first.", nil, nil)
	objectsDesc    = prometheus.NewDesc("embargo_audited_objects", "Objects that the audit knows.", nil, nil)
	unreadDesc     = prometheus.NewDesc("embargo_audit_unread_resources", "Resources with images that the audit can't read.", nil, nil)
	writtenDesc    = prometheus.NewDesc("embargo_report_writes_total", "Writes of VendorReports, by what was done.", []string{"operation"}, nil)
	othersDesc     = prometheus.NewDesc("embargo_workload_report_writes_total", "Writes of reports on workloads, in kinds of others, by what was done.", []string{"operation"}, nil)
	groupDesc      = prometheus.NewDesc("embargo_workload_report_api_info", "The API group in which reports on workloads are written; absent for none.", []string{"group"}, nil)
	droppedDesc    = prometheus.NewDesc("embargo_events_dropped_total", "Events that were not written because there were too many.", nil, nil)
)

func init() { metrics.Registry.MustRegister(durations, collector{}) }

// collecting is the Auditor that runs, nil where none does: only the leader's audit has
// anything to tell.
var collecting atomic.Pointer[Auditor]

type collector struct{}

// Describe tells what can be collected.
func (collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{findingsDesc, lateDesc, transitionDesc, ageDesc, startupDesc, objectsDesc, unreadDesc, writtenDesc, othersDesc, groupDesc, droppedDesc} {
		to <- d
	}
}

// Collect tells how things stand now.
func (collector) Collect(to chan<- prometheus.Metric) {
	if a := collecting.Load(); a != nil {
		a.collect(to)
	}
}

func (a *Auditor) collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	count := func(d *prometheus.Desc, value int, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for s, n := range a.findingsBySeries() {
		gauge(findingsDesc, float64(n), s.vendor, s.restriction, s.phase, string(s.action))
	}
	for s, n := range a.lateFindings() {
		gauge(lateDesc, float64(n), s.vendor, s.restriction)
	}
	now := a.options.Clock()
	if rules := a.options.Rules(); rules != nil {
		if next, ok := rules.NextTransition(now); ok {
			gauge(transitionDesc, next.Sub(now).Seconds())
		}
	}
	if !a.full.IsZero() {
		gauge(startupDesc, a.startup.Seconds())
		gauge(ageDesc, max(0, now.Sub(a.full)).Round(time.Millisecond).Seconds())
	}
	gauge(objectsDesc, float64(a.inventory.Len()))
	gauge(unreadDesc, float64(len(a.unread())))
	written := a.reports.Counts()
	count(writtenDesc, written.Created, "create")
	count(writtenDesc, written.Updated, "update")
	count(writtenDesc, written.Deleted, "delete")
	count(writtenDesc, written.Failed, "failed")
	others := a.others.Counts()
	count(othersDesc, others.Applied, "apply")
	count(othersDesc, others.Deleted, "delete")
	count(othersDesc, others.Failed, "failed")
	if group := a.others.Group(); group != "" {
		gauge(groupDesc, 1, group)
	}
	count(droppedDesc, a.teller.droppedSoFar())
}

func (a *Auditor) findingsBySeries() map[series]int {
	sum := map[series]int{}
	for _, r := range a.results {
		for s, n := range r.counts {
			sum[s] += n
		}
	}
	return sum
}

// lateFindings counts what arrived after a ban in all namespaces.
func (a *Auditor) lateFindings() map[lateSeries]int {
	sum := map[lateSeries]int{}
	for _, r := range a.results {
		for s, n := range r.late {
			sum[s] += n
		}
	}
	return sum
}
