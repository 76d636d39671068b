package server

import (
	"bytes"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/time/rate"
)

// errorLog writes what http.Server logs, such as failed TLS handshakes, at debug level and
// seldom: a flood of errors must not become a flood of lines.
type errorLog struct {
	log     logr.Logger
	limiter *rate.Limiter
	omitted atomic.Int64
}

const (
	linesPerSecond = 1
	lineBurst      = 10
	debugLevel     = 4 // slog's level of debug
)

func newErrorLog(log logr.Logger) *errorLog {
	return &errorLog{log: log, limiter: rate.NewLimiter(rate.Every(time.Second/linesPerSecond), lineBurst)}
}

// Write logs a line, or counts it.
func (l *errorLog) Write(line []byte) (int, error) {
	if !l.limiter.Allow() {
		l.omitted.Add(1)
		return len(line), nil
	}
	l.log.V(debugLevel).Info("a connection to the webhook failed", "error", string(bytes.TrimSpace(line)), "omitted", l.omitted.Swap(0))
	return len(line), nil
}
