package app

import (
	"log/slog"
	"os"

	"github.com/go-logr/logr"

	"embargo.dev/cmd/embargo/internal/options"
)

// newLogger returns the logger of the whole process.
func newLogger(o options.Logging) logr.Logger {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	handlerOptions := &slog.HandlerOptions{Level: levels[o.Level]}
	if o.Format == "text" {
		return logr.FromSlogHandler(slog.NewTextHandler(os.Stderr, handlerOptions))
	}
	return logr.FromSlogHandler(slog.NewJSONHandler(os.Stderr, handlerOptions))
}
