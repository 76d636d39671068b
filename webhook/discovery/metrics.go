package discovery

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

var (
	resources = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "embargo_discovered_resources",
		Help: "How many resources beside Kubernetes' own may embed pod templates.",
	})
	unread = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "embargo_unread_schemas",
		Help: "How many custom resources and aggregated APIs could not be looked at; what was known of them still counts.",
	})
)

func init() { metrics.Registry.MustRegister(resources, unread) }
