// Package limits bounds what the webhook server holds and does for those who call it.
// Anybody in the cluster may reach the port, so each address has a share of its own.
package limits

import (
	"context"
	"runtime"

	"embargo.dev/webhook/fairness"
)

// The totals fit into the chart's memory limit of 256Mi, beside the caches of a leader in a
// cluster with 10,000 Pods. test/flood holds them to that.
const (
	// maxConnections bounds TLS connections, at about 50 KiB each.
	maxConnections = 512
	// maxRequests bounds requests, at about 30 KiB each while they wait.
	maxRequests = 1024
	// maxMemory bounds the bytes of reviews, and of what is decoded from them.
	maxMemory = 96 << 20
	// maxReads bounds reads from the API server that decisions wait for.
	maxReads = 16
	// minDecisions is the least number of decisions at once. One source gets half of the
	// places, so that two decide in parallel even for a single API server.
	minDecisions = 4

	// A TLS handshake costs more CPU than a decision. An API server keeps its connections, so
	// a source that connects this often isn't one.
	connectionsPerSecond, connectionBurst = 25, 128
	// Each Pod that a controller makes with a suspect image costs up to three reads.
	readsPerSecond, readBurst = 200, 1000
)

// Limits are shared by all requests of a server. A nil *Limits bounds nothing.
type Limits struct {
	connections    *fairness.Pool
	connectionRate *fairness.Rates
	requests       *fairness.Pool
	memory         *fairness.Pool
	decisions      *fairness.Queue
	reads          *fairness.Queue
	readRate       *fairness.Rates
}

// New returns the limits of a server.
func New() *Limits {
	return &Limits{
		connections:    fairness.NewPool(maxConnections),
		connectionRate: fairness.NewRates(connectionsPerSecond, connectionBurst),
		requests:       fairness.NewPool(maxRequests),
		memory:         fairness.NewPool(maxMemory),
		decisions:      fairness.NewQueue(max(minDecisions, runtime.GOMAXPROCS(0)+2)),
		reads:          fairness.NewQueue(maxReads),
		readRate:       fairness.NewRates(readsPerSecond, readBurst),
	}
}

// Connection admits a connection. The function closes it when another source needs the
// room.
func (l *Limits) Connection(source fairness.Source, closeConnection func()) (*fairness.Lease, bool) {
	if !l.connectionRate.Allow(source) {
		Rejected(ReasonConnectionRate)
		return nil, false
	}
	lease, ok := l.connections.AcquireEvictable(source, func() {
		Rejected(ReasonConnections)
		closeConnection()
	})
	if !ok {
		Rejected(ReasonConnections)
	}
	return lease, ok
}

// Request admits a request. The function ends it when another source needs the room.
func (l *Limits) Request(source fairness.Source, end func()) (release func(), ok bool) {
	lease, ok := l.requests.AcquireEvictable(source, func() {
		Rejected(ReasonRequests)
		end()
	})
	if !ok {
		Rejected(ReasonRequests)
		return nil, false
	}
	requestsInFlight.Inc()
	return func() {
		lease.Release()
		requestsInFlight.Dec()
	}, true
}

// Memory returns an account for the memory of one request, empty at first.
func (l *Limits) Memory(source fairness.Source) *Memory {
	if l == nil {
		return nil
	}
	lease, _ := l.memory.Acquire(source, 0)
	return &Memory{lease}
}

// Decide waits for a place among those who use the CPU to decide.
func (l *Limits) Decide(ctx context.Context, source fairness.Source) (*fairness.Place, error) {
	if l == nil {
		return &fairness.Place{}, nil
	}
	place, err := l.decisions.Enter(ctx, source)
	if err != nil {
		Rejected(ReasonDecisions)
	}
	return place, err
}
