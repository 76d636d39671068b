package registration

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

var registered = prometheus.NewGauge(prometheus.GaugeOpts{
	Name: "embargo_webhook_registered",
	Help: "1 where the API server is told to call the webhook, as the leader sees it.",
})

func init() { metrics.Registry.MustRegister(registered) }
