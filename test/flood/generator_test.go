//go:build linux

package flood

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
)

// The test runs itself again as the generator of a flood, in another network namespace.
const (
	modeVariable  = "EMBARGO_FLOOD_MODE"
	urlVariable   = "EMBARGO_FLOOD_URL"
	ownerVariable = "EMBARGO_FLOOD_OWNER"
)

// mode is a way to flood.
type mode struct {
	name    string
	http2   bool
	workers int
	request func(owner string, n int) (body io.Reader, length int)
}

// modes are what one Pod may try.
var modes = []mode{
	{"headers-http1", false, 1000, headersOnly},
	{"headers-http2", true, 1000, headersOnly},
	{"slow-http1", false, 1000, slowBody},
	{"slow-http2", true, 1000, slowBody},
	{"reviews-http1", false, 200, forged},
	{"reviews-http2", true, 1000, forged},
	{"large-http1", false, 50, large},
	{"large-http2", true, 200, large},
}

// headersOnly announces a body of 20 MiB and sends nothing of it.
func headersOnly(string, int) (io.Reader, int) { return nothing{}, 20 << 20 }

// nothing is a body that doesn't come. It gives up after a while, since an HTTP/1.1 client
// whose connection was closed waits for its body.
type nothing struct{}

func (nothing) Read([]byte) (int, error) {
	time.Sleep(7 * time.Second)
	return 0, io.ErrUnexpectedEOF
}

// slowBody sends a byte a second.
func slowBody(string, int) (io.Reader, int) { return slow{}, 20 << 20 }

type slow struct{}

func (slow) Read(into []byte) (int, error) {
	time.Sleep(time.Second)
	return copy(into[:1], " "), nil
}

const forgedReview = `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"%d","operation":"CREATE","namespace":"default","name":"p",` +
	`"kind":{"version":"v1","kind":"Pod"},"resource":{"version":"v1","resource":"pods"},"userInfo":{"username":"jane"},"object":{"metadata":{"name":"p","namespace":"default"%s},` +
	`"spec":{"containers":[{"name":"a","image":"kaspersky/scanengine_httpd:%d"}]%s}}}}`

// forged is a complete review of a restricted image, every second time of an owner's child,
// so that the owner has to be read.
func forged(owner string, n int) (io.Reader, int) {
	reference := ""
	if n%2 == 0 {
		reference = fmt.Sprintf(`,"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"owner","uid":%q,"controller":true}]`, owner)
	}
	text := fmt.Sprintf(forgedReview, n, reference, n, "")
	return strings.NewReader(text), len(text)
}

// largeReviews are as large as they may be: of text, of escapes, and of values that take
// fifty times as much memory as their text.
var largeReviews = sync.OnceValue(func() []string {
	with := func(field string) string { return fmt.Sprintf(forgedReview, 1, "", 1, field) }
	return []string{
		with(`,"hostname":"` + strings.Repeat("x", 7<<20) + `"`),
		with(`,"hostname":"` + strings.Repeat(`\u003c`, 3<<20) + `"`),
		with(`,"containers":[` + strings.Repeat(`{"":1},`, 1<<20) + `{}]`), // the key twice: read by the slow decoder
		with(`,"initContainers":[` + strings.Repeat(`{"image":"A"},`, 36_000) + `{}]`),
		with(`,"x":[` + strings.Repeat(`1,`, 1_000_000) + `1],"containers":[]`),
	}
})

func large(_ string, n int) (io.Reader, int) {
	all := largeReviews()
	text := all[n%len(all)]
	return strings.NewReader(text), len(text)
}

// flood starts a flood. The function that it returns ends it and says what was sent.
func (s *stage) flood(t *testing.T, name string, owner *appsv1.ReplicaSet) (stop func() string) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	confined := filepath.Join(t.TempDir(), "flood")
	// The control groups can't be seen any more in the network namespace.
	inside := fmt.Sprintf("ip netns exec %s %s", s.network.namespace, self)
	require.NoError(t, os.WriteFile(confined, []byte(s.cpu.script(inside)), 0o700)) //nolint:gosec // a program
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), confined)
	cmd.Env = append(os.Environ(), modeVariable+"="+name, ownerVariable+"="+string(owner.UID), fmt.Sprintf("%s=https://%s:%d/validate", urlVariable, hostAddress, s.replica.Port))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	output, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	lines := bufio.NewReader(output)
	started, err := lines.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "started\n", started)
	return func() string {
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		summary, err := io.ReadAll(lines)
		require.NoError(t, err)
		require.NoError(t, cmd.Wait())
		return strings.TrimSpace(string(summary))
	}
}

// generate is the flood's own process. It says on standard output when it has begun, and at
// the end how often it got which status.
func generate(name string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	i := slices.IndexFunc(modes, func(m mode) bool { return m.name == name })
	if i < 0 {
		fmt.Fprintln(os.Stderr, "no such flood:", name)
		return 2
	}
	largeReviews()
	counts := &counts{by: map[string]int{}}
	for worker := range modes[i].workers {
		go modes[i].work(ctx, worker, counts)
	}
	fmt.Println("started")
	<-ctx.Done() // requests under way end with this process
	fmt.Println(counts)
	return 0
}

// counts are how often which status came.
type counts struct {
	mu sync.Mutex
	by map[string]int
}

func (c *counts) add(status string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.by[status]++
}

func (c *counts) String() string {
	var words []string
	for _, status := range slices.Sorted(maps.Keys(c.by)) {
		words = append(words, fmt.Sprintf("%s × %d", status, c.by[status]))
	}
	return strings.Join(words, ", ")
}

// connectionsOfHTTP2 is how many connections a flood over HTTP/2 spreads its requests over.
const connectionsOfHTTP2 = 10

var clients = map[int]*http.Client{}
var clientsMu sync.Mutex

// client returns the client of a worker: over HTTP/1.1 each has connections of its own.
func (m mode) client(worker int) *http.Client {
	if m.http2 {
		worker %= connectionsOfHTTP2
	}
	clientsMu.Lock()
	defer clientsMu.Unlock()
	if clients[worker] == nil {
		protocols := &http.Protocols{}
		protocols.SetHTTP1(!m.http2)
		protocols.SetHTTP2(m.http2)
		clients[worker] = &http.Client{Transport: &http.Transport{
			Protocols:       protocols,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // a flood trusts anybody
		}}
	}
	return clients[worker]
}

// pause keeps a flood whose connections are refused from spending its CPU on dialling.
const pause = 10 * time.Millisecond

func (m mode) work(ctx context.Context, worker int, counts *counts) {
	client := m.client(worker)
	for n := worker; ctx.Err() == nil; n += m.workers {
		body, length := m.request(os.Getenv(ownerVariable), n)
		status := send(ctx, client, body, length)
		if ctx.Err() != nil {
			return
		}
		counts.add(status)
		if status == unanswered {
			time.Sleep(pause)
		}
	}
}

const unanswered = "no answer"

func send(ctx context.Context, client *http.Client, body io.Reader, length int) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, os.Getenv(urlVariable), body)
	if err != nil {
		return err.Error()
	}
	request.Header.Set("Content-Type", "application/json")
	request.ContentLength = int64(length)
	response, err := client.Do(request)
	if err != nil {
		return unanswered
	}
	defer response.Body.Close() //nolint:errcheck // read only
	_, _ = io.Copy(io.Discard, response.Body)
	return strconv.Itoa(response.StatusCode)
}
