// Package logging writes warnings, a level that logr lacks.
package logging

import (
	"context"
	"log/slog"

	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// warning is slog's level in terms of logr, which counts the other way and from Info on.
const warning = -int(slog.LevelWarn)

// Warn logs what a person should look at although the controller goes on, by the context's
// logger. logr.Logger writes no level above Info but Error. The sink behind it takes any, and
// that of slog writes this one as WARN.
func Warn(ctx context.Context, message string, keysAndValues ...any) {
	sink := logf.FromContext(ctx).GetSink()
	if sink != nil && sink.Enabled(warning) {
		sink.Info(warning, message, keysAndValues...)
	}
}
