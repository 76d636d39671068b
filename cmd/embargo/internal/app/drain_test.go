package app

import (
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCallersOfADrainingReplicaConnectAnew(t *testing.T) {
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(protocol, func(t *testing.T) {
			var d drain
			server := httptest.NewUnstartedServer(d.partWith(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
			server.EnableHTTP2 = protocol == "HTTP/2.0"
			server.StartTLS()
			t.Cleanup(server.Close)
			reused := func() bool {
				var reused bool
				trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { reused = info.Reused }}
				request, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodPost, server.URL, nil)
				require.NoError(t, err)
				response, err := server.Client().Do(request)
				require.NoError(t, err)
				require.NoError(t, response.Body.Close())
				require.Equal(t, protocol, response.Proto)
				return reused
			}
			assert.False(t, reused())
			assert.True(t, reused(), "a connection is kept")
			d.begun.Store(true)
			reused() // is answered, and asked to part
			require.Eventually(t, func() bool { return !reused() }, 5*time.Second, 20*time.Millisecond, "the next one connects anew")
		})
	}
}
