package registration

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnOlderVersionTakesOverWhenNobodyElseLeads(t *testing.T) {
	began := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	now := began
	r := &Registrar{options: Options{Version: "1.4.0", Clock: func() time.Time { return now }}, leadingSince: began}
	require.Empty(t, r.yield("1.3.9"))
	require.Empty(t, r.yield("1.4.0"))
	require.Empty(t, r.yield(""))
	require.Equal(t, "version 1.5.0 wrote it, which is newer than this one, 1.4.0; this one takes over at 2026-05-04T03:02:31Z unless another leads by then",
		r.yield("1.5.0"))
	now = began.Add(takeOverAfter - time.Nanosecond)
	require.NotEmpty(t, r.yield("1.5.0"), "an upgrade may be under way")
	now = began.Add(takeOverAfter)
	assert.Empty(t, r.yield("1.5.0"), "it was rolled back")
}
