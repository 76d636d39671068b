package limits

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

// Reasons for which a caller is rejected.
const (
	ReasonConnections    = "connections"     // too many open connections
	ReasonConnectionRate = "connection_rate" // too many new connections
	ReasonRequests       = "requests"        // too many requests at once
	ReasonMemory         = "memory"          // too many bytes in work
	ReasonWork           = "work"            // too much CPU time
	ReasonDecisions      = "decisions"       // no turn before the caller gave up
	ReasonReads          = "reads"           // too many reads from the API server
	ReasonSize           = "size"            // a review that is too large for anybody
)

// No label has the source: a caller could fill the memory with series.
var (
	rejected = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "embargo_webhook_rejected_total",
		Help: "Connections and requests to the webhook that were rejected, by the limit that they exceeded.",
	}, []string{"reason"})
	requestsInFlight = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "embargo_webhook_requests_in_flight",
		Help: "Requests to the webhook whose headers have arrived and that aren't answered yet.",
	})
	memoryHeld = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "embargo_webhook_memory_bytes",
		Help: "Bytes that the webhook counts for reviews in work: their text, and an estimate of what is decoded from it.",
	})
)

func init() {
	metrics.Registry.MustRegister(rejected, requestsInFlight, memoryHeld)
	for _, reason := range []string{ReasonConnections, ReasonConnectionRate, ReasonRequests, ReasonMemory, ReasonWork, ReasonDecisions, ReasonReads, ReasonSize} {
		rejected.WithLabelValues(reason)
	}
}

// Rejected counts a rejection.
func Rejected(reason string) { rejected.WithLabelValues(reason).Inc() }
