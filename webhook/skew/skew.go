// Package skew compares this replica's clock with the API servers': dates come into
// force by the clock of whoever decides.
package skew

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"embargo.dev/internal/trigger"
)

// Tolerance is how far two clocks may be apart before anybody is told. The API
// server tells its time in whole seconds, and an answer takes a while.
const Tolerance = 5 * time.Second

var ahead = prometheus.NewGauge(prometheus.GaugeOpts{
	Name: "embargo_clock_skew_seconds",
	Help: "How far this replica's clock is ahead of the API server's; within two seconds it can't be told from none.",
})

func init() { metrics.Registry.MustRegister(ahead) }

// Meter reads the API server's time off its answers.
type Meter struct {
	clock   func() time.Time
	ahead   atomic.Int64 // nanoseconds
	changed trigger.Trigger
}

// NewMeter returns a Meter that compares with the clock.
func NewMeter(clock func() time.Time) *Meter {
	return &Meter{clock: clock, changed: trigger.New()}
}

// Ahead returns how far the clock was ahead of the API server's at its last answer.
func (m *Meter) Ahead() time.Duration { return time.Duration(m.ahead.Load()) }

// Skewed reports whether the clocks are further apart than they may be.
func (m *Meter) Skewed() bool { return m.Ahead().Abs() > Tolerance }

// Changed receives after the clocks came apart, or together again.
func (m *Meter) Changed() <-chan struct{} { return m.changed }

// Wrap returns a transport that reads the time off every answer that passes through.
func (m *Meter) Wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		sent := m.clock()
		response, err := next.RoundTrip(request)
		if err == nil {
			m.read(response.Header.Get("Date"), sent, m.clock())
		}
		return response, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

// read compares the middle of the time that an answer took with what it says. An
// answer that took long, as a watch does, says little and is passed over.
func (m *Meter) read(date string, sent, received time.Time) {
	server, err := http.ParseTime(date)
	if err != nil || received.Sub(sent) > Tolerance/2 {
		return
	}
	middle := sent.Add(received.Sub(sent) / 2)
	before := m.Skewed()
	difference := middle.Sub(server.Add(time.Second / 2)) // on average half a second is cut off
	m.ahead.Store(int64(difference))
	ahead.Set(difference.Seconds())
	if before != m.Skewed() {
		m.changed.Fire()
	}
}
