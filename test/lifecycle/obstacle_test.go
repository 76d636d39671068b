package lifecycle_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// obstacle stands between the API server and the controller and can be in the way.
type obstacle struct {
	listener    net.Listener
	certificate tls.Certificate // of somebody else

	mu     sync.Mutex
	target string
	way    way
	open   map[net.Conn]bool
}

// way is what an obstacle does with a connection.
type way int

const (
	through  way = iota // passes it on
	slowly              // passes it on, a while later
	nowhere             // accepts it and says nothing, as where packets vanish
	toOthers            // answers with a certificate that nobody was told to trust
)

// delay is how long a slow way takes, in each direction: well within the API server's
// patience of five seconds.
const delay = 700 * time.Millisecond

func newObstacle(t *testing.T) *obstacle {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	others := httptest.NewUnstartedServer(nil)
	others.StartTLS()
	o := &obstacle{listener: listener, certificate: others.TLS.Certificates[0], open: map[net.Conn]bool{}}
	others.Close()
	var serving sync.WaitGroup
	serving.Go(o.serve)
	t.Cleanup(func() {
		_ = listener.Close()
		o.set(through) // ends what is open
		serving.Wait()
	})
	return o
}

// URL is where the API server finds the controller.
func (o *obstacle) URL() string {
	return "https://localhost:" + strconv.Itoa(o.listener.Addr().(*net.TCPAddr).Port)
}

// leadTo says at which port of this machine the controller listens.
func (o *obstacle) leadTo(port int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.target = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// set changes the way, for connections that are open too: those end.
func (o *obstacle) set(to way) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.way = to
	for c := range o.open {
		_ = c.Close()
	}
}

func (o *obstacle) serve() {
	var connections sync.WaitGroup
	defer connections.Wait()
	for {
		c, err := o.listener.Accept()
		if err != nil {
			return // closed
		}
		connections.Go(func() { o.handle(c) })
	}
}

func (o *obstacle) handle(c net.Conn) {
	o.mu.Lock()
	taken, target := o.way, o.target
	o.open[c] = true
	o.mu.Unlock()
	defer func() {
		_ = c.Close()
		o.mu.Lock()
		delete(o.open, c)
		o.mu.Unlock()
	}()
	switch taken {
	case nowhere:
		_, _ = io.Copy(io.Discard, c)
	case toOthers:
		_ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{o.certificate}}).Handshake()
	default:
		relay(c, target, map[way]time.Duration{slowly: delay}[taken])
	}
}

// relay passes bytes on, in both directions, each after a while.
func relay(c net.Conn, target string, after time.Duration) {
	upstream, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	var ended sync.WaitGroup
	pass := func(to, from net.Conn) {
		defer to.Close() //nolint:errcheck // ends the other direction too
		buffer := make([]byte, 64<<10)
		for {
			n, err := from.Read(buffer)
			if err != nil {
				return
			}
			time.Sleep(after)
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
	}
	ended.Go(func() { pass(upstream, c) })
	pass(c, upstream)
	ended.Wait()
}
