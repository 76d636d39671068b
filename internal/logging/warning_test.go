package logging_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/go-logr/logr"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/internal/logging"
)

// TestWarningsHaveALevel logs as the controller does: through the logger that
// controller-runtime hands on to the real one.
func TestWarningsHaveALevel(t *testing.T) {
	for level, lines := range map[slog.Level]int{slog.LevelInfo: 2, slog.LevelWarn: 1, slog.LevelError: 0} {
		var output bytes.Buffer
		logger := logr.FromSlogHandler(slog.NewJSONHandler(&output, &slog.HandlerOptions{Level: level}))
		ctx := logf.IntoContext(t.Context(), logger.WithValues("vendor", "acme"))
		logf.FromContext(ctx).Info("hello")
		logging.Warn(ctx, "beware", "reason", "a test")
		written := bytes.Split(bytes.TrimSpace(output.Bytes()), []byte("\n"))
		if lines == 0 {
			assert.Empty(t, output.String())
			continue
		}
		require.Len(t, written, lines)
		var line map[string]any
		require.NoError(t, json.Unmarshal(written[lines-1], &line))
		delete(line, "time")
		assert.Equal(t, map[string]any{"level": "WARN", "msg": "beware", "reason": "a test", "vendor": "acme"}, line)
	}
}

func TestTheGlobalLoggerHasWarningsToo(t *testing.T) {
	var output bytes.Buffer
	logf.SetLogger(logr.FromSlogHandler(slog.NewTextHandler(&output, nil)))
	logging.Warn(t.Context(), "beware")
	assert.Contains(t, output.String(), "level=WARN msg=beware")
}

func TestNobodyNeedsToListen(t *testing.T) {
	logging.Warn(logf.IntoContext(t.Context(), logr.Logger{}), "beware")
	logging.Warn(logf.IntoContext(t.Context(), logr.Discard()), "beware")
}
