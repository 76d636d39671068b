package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"embargo.dev/webhook"
	"embargo.dev/webhook/limits"
)

// The flood and the API server call from different addresses of this machine.
const (
	floodAddress     = "127.0.0.2"
	apiServerAddress = "127.0.0.3"
)

// running is a server that answers every review at once.
type running struct {
	address string
	stop    context.CancelFunc
	stopped chan error
}

func start(t *testing.T, settings *tls.Config, handler http.Handler) *running {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	shared := limits.New()
	s := New(Options{TLS: settings, Limits: shared, Log: logr.Discard()})
	if handler == nil {
		handler = webhook.Serve(admission.HandlerFunc(func(context.Context, admission.Request) admission.Response { return admission.Allowed("") }), shared)
	}
	require.ErrorIs(t, s.StartedChecker()(nil), errNotServing)
	s.Register("/validate", handler)
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{address: listener.Addr().String(), stop: cancel, stopped: make(chan error, 1)}
	go func() { r.stopped <- s.serve(ctx, listener) }()
	t.Cleanup(cancel)
	require.Eventually(t, func() bool { return s.StartedChecker()(nil) == nil }, 5*time.Second, time.Millisecond)
	return r
}

// certified returns TLS settings with a certificate of a test server's.
func certified() *tls.Config {
	other := httptest.NewUnstartedServer(nil)
	other.StartTLS()
	defer other.Close()
	return &tls.Config{Certificates: other.TLS.Certificates, MinVersion: tls.VersionTLS12}
}

// from returns a client that calls from an address of this machine.
func from(t *testing.T, address string, http2 bool) *http.Client {
	t.Helper()
	protocols := &http.Protocols{}
	protocols.SetHTTP1(!http2)
	protocols.SetHTTP2(http2)
	transport := &http.Transport{
		DialContext:     (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}, Timeout: 5 * time.Second}).DialContext,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // a test's own server
		Protocols:       protocols,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 8 * time.Second}
}

func review(padding string) string {
	return `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","operation":"CREATE","object":{"a":"` + padding + `"}}}`
}

// send returns the status of a review that is sent at once, 0 for none.
func (r *running) send(ctx context.Context, client *http.Client, body io.Reader, length int64) int {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+r.address+"/validate", body)
	if err != nil {
		return 0
	}
	request.Header.Set("Content-Type", "application/json")
	request.ContentLength = length
	response, err := client.Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close() //nolint:errcheck // read only
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

func (r *running) review(t *testing.T, client *http.Client, padding string) int {
	t.Helper()
	body := review(padding)
	return r.send(t.Context(), client, strings.NewReader(body), int64(len(body)))
}

// flood sends many requests at once, whose bodies the function makes, and returns the
// channel of their statuses.
func (r *running) flood(ctx context.Context, client *http.Client, n int, length int64, body func() io.Reader) <-chan int {
	statuses := make(chan int, n)
	for range n {
		go func() { statuses <- r.send(ctx, client, body(), length) }()
	}
	return statuses
}

// stalled is a body that stops in the middle.
func stalled(start string) func() io.Reader {
	return func() io.Reader { return io.MultiReader(strings.NewReader(start), pause{}) }
}

// pause is the end of a stalled body. It lasts longer than a server waits, and not for ever:
// an HTTP/1.1 client whose connection was closed waits for its body.
type pause struct{}

func (pause) Read([]byte) (int, error) {
	time.Sleep(7 * time.Second)
	return 0, io.ErrUnexpectedEOF
}

func TestFloodsLeaveRoomForOthers(t *testing.T) {
	for _, c := range []struct {
		name string
		body func() io.Reader
	}{
		{"headers only", stalled("")},
		{"slow bodies", func() io.Reader { return &trickle{} }},
		{"bodies without their end", stalled(review(strings.Repeat("x", 256<<10)))},
	} {
		for _, http2 := range []bool{false, true} {
			t.Run(c.name+map[bool]string{false: " over HTTP/1.1", true: " over HTTP/2"}[http2], func(t *testing.T) {
				t.Parallel()
				r := start(t, certified(), nil)
				const many = 400
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				statuses := r.flood(ctx, from(t, floodAddress, http2), many, 20<<20, c.body)
				rejected := map[int]int{}
				for len(rejected) == 0 { // the flood is past its share
					rejected[<-statuses]++
				}
				apiServer := from(t, apiServerAddress, true)
				for range 20 {
					assert.Equal(t, http.StatusOK, r.review(t, apiServer, "x"))
				}
				for answered := 1; answered < many; answered++ {
					rejected[<-statuses]++ // none is held forever
				}
				assert.NotContains(t, rejected, http.StatusOK)
				assert.Equal(t, http.StatusOK, r.review(t, from(t, apiServerAddress, false), "x"))
			})
		}
	}
}

// trickle is a body that sends a byte now and then.
type trickle struct{}

func (*trickle) Read(into []byte) (int, error) {
	time.Sleep(50 * time.Millisecond)
	return copy(into[:1], " "), nil
}

// TestLargeBodiesLeaveRoomForOthers: what one source holds in bodies doesn't keep the largest
// review of another from being read.
func TestLargeBodiesLeaveRoomForOthers(t *testing.T) {
	r := start(t, certified(), nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	statuses := r.flood(ctx, from(t, floodAddress, false), 30, 8<<20, stalled(review(strings.Repeat("x", 6<<20))))
	require.Equal(t, http.StatusTooManyRequests, <-statuses)
	assert.Equal(t, http.StatusOK, r.review(t, from(t, apiServerAddress, true), strings.Repeat(`\u003c`, 1_400_000)))
}

func TestTheLargestReviewIsRead(t *testing.T) {
	r := start(t, certified(), nil)
	client := from(t, apiServerAddress, true)
	assert.Equal(t, http.StatusOK, r.review(t, client, strings.Repeat(`\u003c`, 3_300_000)))
	assert.Equal(t, http.StatusOK, r.review(t, client, strings.Repeat(`x`, 8_000_000)))
	assert.Equal(t, http.StatusRequestEntityTooLarge, r.review(t, client, strings.Repeat(`x`, 9_000_000)))
	assert.Equal(t, http.StatusRequestEntityTooLarge, r.review(t, client, strings.Repeat(`\u003c`, 3_600_000)))
}

// TestOneSourceCannotTakeAllConnections counts connections that never send anything.
func TestOneSourceCannotTakeAllConnections(t *testing.T) {
	r := start(t, certified(), nil)
	var conns []net.Conn
	t.Cleanup(func() {
		for _, conn := range conns {
			_ = conn.Close()
		}
	})
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(floodAddress)}}
	var closed sync.WaitGroup
	gone := make(chan struct{}, 400)
	for range 400 {
		conn, err := dialer.DialContext(t.Context(), "tcp", r.address)
		if err != nil {
			gone <- struct{}{} // reset while it was dialled
			continue
		}
		conns = append(conns, conn)
		closed.Go(func() {
			_, _ = conn.Read(make([]byte, 1))
			gone <- struct{}{}
		})
	}
	for range 400 - 256 { // their share; the rate of new ones is lower
		select {
		case <-gone:
		case <-time.After(3 * time.Second):
			require.Fail(t, "connections past the share stay open")
		}
	}
	assert.Equal(t, http.StatusOK, r.review(t, from(t, apiServerAddress, false), "x"))
	closed.Wait() // the others have no handshake in time
}

func TestRequestsInFlightAreAnsweredWhenItStops(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	r := start(t, certified(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-leave
		if r.Context().Err() != nil {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	answer := make(chan int)
	go func() { answer <- r.review(t, from(t, apiServerAddress, true), "x") }()
	<-entered
	r.stop()
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", r.address)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, 5*time.Second, 10*time.Millisecond)
	close(leave)
	assert.Equal(t, http.StatusOK, <-answer)
	assert.NoError(t, <-r.stopped)
}

func TestHeadersAreBounded(t *testing.T) {
	r := start(t, certified(), nil)
	client := from(t, apiServerAddress, false)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+r.address+"/validate", strings.NewReader(review("")))
	require.NoError(t, err)
	request.Header.Set("X-Large", strings.Repeat("x", 64<<10))
	response, err := client.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusRequestHeaderFieldsTooLarge, response.StatusCode)
}

// TestAnswersAreReviews: what a caller gets is an AdmissionReview with its UID.
func TestAnswersAreReviews(t *testing.T) {
	r := start(t, certified(), nil)
	response, err := from(t, apiServerAddress, true).Post("https://"+r.address+"/validate", "application/json", strings.NewReader(review("")))
	require.NoError(t, err)
	defer response.Body.Close() //nolint:errcheck // read only
	var answer admissionv1.AdmissionReview
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	assert.EqualValues(t, "u", answer.Response.UID)
	assert.True(t, answer.Response.Allowed)
}

func TestErrorsAreLoggedSeldom(t *testing.T) {
	var lines bytes.Buffer
	log := newErrorLog(logr.FromSlogHandler(debugHandler(&lines)))
	for range 1000 {
		_, err := log.Write([]byte("http: TLS handshake error\n"))
		require.NoError(t, err)
	}
	assert.LessOrEqual(t, strings.Count(lines.String(), "\n"), 20)
	assert.Contains(t, lines.String(), "level=DEBUG")
	assert.Contains(t, lines.String(), "TLS handshake error")
}
