package app

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

var buildInfo = prometheus.NewGaugeVec(prometheus.GaugeOpts{
	Name: "embargo_build_info",
	Help: "The version of this replica; always 1.",
}, []string{"version"})

func init() {
	metrics.Registry.MustRegister(buildInfo)
	buildInfo.WithLabelValues(Version()).Set(1)
}
