package ruleset

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"embargo.dev/policies"
)

var (
	problemsByKind = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "embargo_compile_problems",
		Help: "Parts of Embargo's objects that don't compile and are not in force, by kind.",
	}, []string{"kind"})
	ruleSetInfo = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "embargo_rule_set_info",
		Help: "The rule set in force, by its digest; always 1.",
	}, []string{"digest"})
	nextTransition = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "embargo_next_transition_timestamp_seconds",
		Help: "When the next phase begins or waiver expires, in Unix time; 0 where none is to come.",
	})
)

var (
	objectsDesc = prometheus.NewDesc("embargo_objects", "Embargo's objects that the rule set in force was compiled from, by kind.", []string{"kind"}, nil)
	inForceDesc = prometheus.NewDesc("embargo_restrictions_in_force",
		"Restrictions that bear on decisions now: some policy applies them, and a phase is in force by that policy's lead time.", nil, nil)
)

func init() {
	metrics.Registry.MustRegister(problemsByKind, ruleSetInfo, nextTransition, prometheus.CollectorFunc(collect))
}

// recorded is the rule set in force, nil before the first.
var recorded atomic.Pointer[policies.RuleSet]

// collect counts what is in force at the instant of the scrape, so that the counts follow the
// clock.
func collect(to chan<- prometheus.Metric) {
	rules := recorded.Load()
	if rules == nil {
		return
	}
	for kind, n := range rules.Objects() {
		to <- prometheus.MustNewConstMetric(objectsDesc, prometheus.GaugeValue, float64(n), kind)
	}
	to <- prometheus.MustNewConstMetric(inForceDesc, prometheus.GaugeValue, float64(rules.RestrictionsInForce(time.Now())))
}

func record(rules *policies.RuleSet, problems []policies.Problem, now time.Time) {
	recorded.Store(rules)
	problemsByKind.Reset()
	for _, kind := range []string{"RestrictedVendor", "VendorPolicy", "VendorWaiver"} {
		problemsByKind.WithLabelValues(kind)
	}
	for _, p := range problems {
		problemsByKind.WithLabelValues(p.Kind).Inc()
	}
	ruleSetInfo.Reset()
	ruleSetInfo.WithLabelValues(rules.Digest()).Set(1)
	recordTransition(rules, now)
}

func recordTransition(rules *policies.RuleSet, now time.Time) {
	next, ok := rules.NextTransition(now)
	if !ok {
		nextTransition.Set(0)
		return
	}
	nextTransition.Set(float64(next.Unix()))
}
