package certificates

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

var expiry = prometheus.NewGauge(prometheus.GaugeOpts{
	Name: "embargo_certificate_expiry_timestamp_seconds",
	Help: "When the certificate that this replica serves expires, in Unix time; 0 before it has one.",
})

func init() { metrics.Registry.MustRegister(expiry) }
