package skew_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/webhook/skew"
)

func TestTheClockIsComparedWithTheServers(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	var offset time.Duration
	meter := skew.NewMeter(func() time.Time { return time.Now().Add(offset) })
	client := &http.Client{Transport: meter.Wrap(http.DefaultTransport)}
	ask := func() {
		response, err := client.Get(server.URL)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
	}
	ask()
	assert.False(t, meter.Skewed())
	offset = time.Minute
	ask()
	assert.True(t, meter.Skewed())
	assert.InDelta(t, time.Minute, meter.Ahead(), float64(2*time.Second))
	assert.Len(t, meter.Changed(), 1)
	<-meter.Changed()
	ask()
	assert.Empty(t, meter.Changed(), "told once")
	offset = -time.Hour
	ask()
	assert.Less(t, meter.Ahead(), -50*time.Minute)
	offset = 0
	ask()
	assert.False(t, meter.Skewed())
	assert.Len(t, meter.Changed(), 1)
}
