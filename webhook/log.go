package webhook

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/go-logr/logr"
	"golang.org/x/time/rate"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/internal/display"
)

const (
	// linesPerSecond and lineBurst bound the lines about reviews: anybody who reaches the
	// port may send reviews that are refused or can't be decided.
	linesPerSecond, lineBurst = 50, 200
	// maxLoggedValue bounds a value or an error in a line.
	maxLoggedValue = 4 << 10
)

// reviewLog bounds what is logged about reviews.
type reviewLog struct {
	limiter    *rate.Limiter
	suppressed atomic.Int64 // lines since the last one that was written
}

// reviewLines is the log of this process, whatever the number of handlers.
var reviewLines = &reviewLog{limiter: rate.NewLimiter(linesPerSecond, lineBurst)}

// into returns a context whose logger writes within the bounds.
func (l *reviewLog) into(ctx context.Context) context.Context {
	logger := logf.FromContext(ctx)
	if logger.GetSink() == nil {
		return ctx
	}
	return logf.IntoContext(ctx, logger.WithSink(&boundedSink{logger.GetSink(), l}))
}

// boundedSink drops lines beyond the rate, and shortens what is too long.
type boundedSink struct {
	logr.LogSink

	log *reviewLog
}

// Info writes a line.
func (s *boundedSink) Info(level int, message string, keysAndValues ...any) {
	if s.log.allow() {
		s.LogSink.Info(level, message, s.log.values(keysAndValues)...)
	}
}

// Error writes a line with an error.
func (s *boundedSink) Error(err error, message string, keysAndValues ...any) {
	if !s.log.allow() {
		return
	}
	if err != nil && len(err.Error()) > maxLoggedValue {
		err = errors.New(display.Truncate(err.Error(), maxLoggedValue))
	}
	s.LogSink.Error(err, message, s.log.values(keysAndValues)...)
}

// WithValues returns a sink with the same bounds.
func (s *boundedSink) WithValues(keysAndValues ...any) logr.LogSink {
	return &boundedSink{s.LogSink.WithValues(keysAndValues...), s.log}
}

// WithName returns a sink with the same bounds.
func (s *boundedSink) WithName(name string) logr.LogSink {
	return &boundedSink{s.LogSink.WithName(name), s.log}
}

func (l *reviewLog) allow() bool {
	if l.limiter.Allow() {
		return true
	}
	l.suppressed.Add(1)
	suppressedLines.Inc()
	return false
}

// values shortens texts, and adds how many lines were left out before.
func (l *reviewLog) values(keysAndValues []any) []any {
	values := make([]any, 0, len(keysAndValues)+2)
	for _, v := range keysAndValues {
		if text, ok := v.(string); ok {
			v = display.Truncate(text, maxLoggedValue)
		}
		values = append(values, v)
	}
	if lines := l.suppressed.Swap(0); lines > 0 {
		values = append(values, "suppressedLines", lines)
	}
	return values
}
