package server

import (
	"net"
	"sync"
	"time"

	"embargo.dev/webhook/fairness"
	"embargo.dev/webhook/limits"
)

// limitedListener closes connections past a source's share before anything is read from
// them.
type limitedListener struct {
	net.Listener

	limits *limits.Limits
}

// After so many rejected connections in a row the listener takes a break: a flood of them
// costs the more CPU time the sooner each is rejected.
const (
	rejectedInARow = 32
	breakTime      = 10 * time.Millisecond
)

// Accept returns the next connection within the limits.
func (l *limitedListener) Accept() (net.Conn, error) {
	for rejected := 1; ; rejected++ {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		source := fairness.SourceOf(conn.RemoteAddr().String())
		lease, ok := l.limits.Connection(source, func() { _ = conn.Close() })
		if ok {
			return &limitedConn{Conn: conn, release: sync.OnceFunc(lease.Release)}, nil
		}
		reset(conn)
		if rejected%rejectedInARow == 0 {
			time.Sleep(breakTime)
		}
	}
}

// reset closes a connection without leaving it to the kernel for a minute.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// limitedConn gives its room back when it is closed.
type limitedConn struct {
	net.Conn

	release func()
}

// Close closes the connection.
func (c *limitedConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}
