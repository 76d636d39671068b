package ruleset

import (
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

func init() { metrics.Registry.MustRegister(problemsByKind, ruleSetInfo, nextTransition) }

func record(rules *policies.RuleSet, problems []policies.Problem, now time.Time) {
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
