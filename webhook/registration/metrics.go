package registration

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

var (
	registered = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "embargo_webhook_registered",
		Help: "1 where the API server is told to call the webhook, as the leader sees it.",
	})
	paused = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "embargo_paused",
		Help: "1 while admission is paused by an annotation on Embargo's namespace.",
	})
	prefiltered = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "embargo_prefilter_in_force",
		Help: "1 where the API server keeps clean requests away from the webhook, as the leader sees it.",
	})
	prefilterTokens = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "embargo_prefilter_tokens",
		Help: "How many texts the prefilter searches images for.",
	})
	conflict = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "embargo_webhook_conflict",
		Help: "1 while another installation has the webhook configuration, so that this one doesn't write it.",
	})
	repairs = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "embargo_webhook_repairs_total",
		Help: "How often the leader repaired the webhook configuration after somebody else had changed or deleted it.",
	})
)

func init() {
	metrics.Registry.MustRegister(registered, paused, prefiltered, prefilterTokens, conflict, repairs)
}

func setGauge(g prometheus.Gauge, on bool) {
	if on {
		g.Set(1)
	} else {
		g.Set(0)
	}
}
