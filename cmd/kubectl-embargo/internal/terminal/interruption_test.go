package terminal_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/cmd/kubectl-embargo/internal/terminal"
)

func TestNothingIsWrittenAfterAnInterruption(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var out bytes.Buffer
	w := terminal.UntilInterrupted(ctx, &out)
	_, err := io.WriteString(w, "before")
	require.NoError(t, err)
	cancel()
	n, err := io.WriteString(w, "after")
	require.NoError(t, err)
	assert.Equal(t, len("after"), n, "a short write would be reported as an error")
	assert.Equal(t, "before", out.String())
}

// TestTheEndOfAPipeWaitsForAnInterruption once; what is no pipe has no other program that
// Ctrl-C ends.
func TestTheEndOfAPipeWaitsForAnInterruption(t *testing.T) {
	in, out, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { _ = in.Close() })
	_, err = out.WriteString("text")
	require.NoError(t, err)
	require.NoError(t, out.Close())
	reader := terminal.FromPipe(t.Context(), in)
	begun := time.Now()
	text, err := io.ReadAll(reader)
	require.NoError(t, err)
	assert.Equal(t, "text", string(text))
	assert.GreaterOrEqual(t, time.Since(begun), 15*time.Millisecond)
	plain := strings.NewReader("x")
	assert.Same(t, plain, terminal.FromPipe(t.Context(), plain))
	file, err := os.Open(os.DevNull)
	require.NoError(t, err)
	t.Cleanup(func() { _ = file.Close() })
	assert.Same(t, file, terminal.FromPipe(t.Context(), file))
}
