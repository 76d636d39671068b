// Package limits bounds what the webhook server holds and does for those who call it.
// Anybody in the cluster may reach the port, so each address has a share of its own.
package limits

import (
	"context"
	"errors"
	"runtime"
	"time"

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
	// A TLS handshake costs more CPU than a decision. An API server keeps its connections, so
	// a source that connects this often isn't one.
	connectionsPerSecond, connectionBurst = 25, 64
	// Each Pod that a controller makes with a suspect image costs up to three reads.
	readsPerSecond, readBurst = 200, 1000
)

// Reading and deciding reviews may take a source so much of a CPU, and save up a burst. A
// usual review takes 0.2 milliseconds, so that is some 1,250 a second: more than an API server
// sends.
const (
	workPerSecond, workBurst = 250 * time.Millisecond, 250 * time.Millisecond
	// minDecisionCost is charged before a decision; what it takes beyond that, after it, up
	// to maxDecisionCost for each KiB.
	minDecisionCost = 100 * time.Microsecond
	maxDecisionCost = 500 * time.Microsecond
	// readFromServerCost is the time that the API server takes for a read.
	readFromServerCost = time.Millisecond
	// minReadCost is the time for a read of a body, however little it reads.
	minReadCost = 5 * time.Microsecond
	// readCost is the time for a KiB of a body: decryption, copies, and their garbage.
	readCost = 4 * time.Microsecond
	// requestCost is the time for a request beside that, also where it is rejected at once.
	requestCost = 50 * time.Microsecond
	// Previews have a share of their own, so that they hold up no decisions. One takes up
	// to a second.
	previewsPerSecond, previewBurst = 250 * time.Millisecond, 5 * time.Second
)

// maxDecisions is how many decisions use the CPU at once. One source gets half of the places,
// and so leaves a CPU to others.
func maxDecisions() int { return 2 * max(1, runtime.GOMAXPROCS(0)-1) }

// Limits are shared by all requests of a server. A nil *Limits bounds nothing.
type Limits struct {
	connections    *fairness.Pool
	connectionRate *fairness.Rates
	requests       *fairness.Pool
	memory         *fairness.Pool
	decisions      *fairness.Queue
	work           *fairness.Rates // in microseconds, nil for no bound
	previews       *fairness.Rates // in microseconds, nil for no bound
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
		decisions:      fairness.NewQueue(maxDecisions()),
		work:           fairness.NewRates(float64(share()/time.Microsecond), int(workBurst/time.Microsecond)),
		previews:       fairness.NewRates(float64(previewsPerSecond/time.Microsecond), int(previewBurst/time.Microsecond)),
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

// ErrTooManyRequests says that a source has more requests in flight than its share.
var ErrTooManyRequests = errors.New("too many requests at once from this address")

// Request admits a request once the source may use the CPU time for it: one that is answered
// without reading a body or deciding takes its time too. The function ends the request when
// another source needs the room.
func (l *Limits) Request(ctx context.Context, source fairness.Source, end func()) (release func(), err error) {
	lease, ok := l.requests.AcquireEvictable(source, func() {
		Rejected(ReasonRequests)
		end()
	})
	if !ok {
		l.charge(source, requestCost)
		Rejected(ReasonRequests)
		return nil, ErrTooManyRequests
	}
	if err := l.pace(ctx, source, requestCost); err != nil {
		lease.Release()
		return nil, err
	}
	requestsInFlight.Inc()
	return func() {
		lease.Release()
		requestsInFlight.Dec()
	}, nil
}

// Memory returns an account for the memory of one request, empty at first.
func (l *Limits) Memory(source fairness.Source) *Memory {
	if l == nil {
		return nil
	}
	lease, _ := l.memory.Acquire(source, 0)
	return &Memory{lease}
}
