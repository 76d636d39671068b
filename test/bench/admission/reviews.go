package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// review is what a review costs a webhook's process.
type review struct {
	Patterns int     `json:"patterns"`
	Webhook  string  `json:"webhook"`
	CPU      float64 `json:"cpuMicroseconds"` // user and system
	P50      float64 `json:"p50Milliseconds"`
}

// caller calls webhooks as the API server does.
type caller struct{ client *http.Client }

func newCaller(ca []byte) *caller {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	return &caller{&http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots}}}}
}

func (c *caller) call(ctx context.Context, url string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // read only
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		return fmt.Errorf("%s: %s: %s", url, response.Status, text)
	}
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

// suspectReview is the review of a Pod with a suspect image.
func suspectReview() ([]byte, error) {
	raw, err := json.Marshal(podOf(embargo, suspectImage))
	if err != nil {
		return nil, err
	}
	return json.Marshal(admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: admissionv1.SchemeGroupVersion.String(), Kind: "AdmissionReview"},
		Request: &admissionv1.AdmissionRequest{
			UID: "bench", Operation: admissionv1.Create, Namespace: embargo, Name: "bench",
			Kind:     metav1.GroupVersionKind{Version: "v1", Kind: "Pod"},
			Resource: metav1.GroupVersionResource{Version: "v1", Resource: "pods"},
			UserInfo: authenticationv1.UserInfo{Username: "jane"},
			Object:   runtime.RawExtension{Raw: raw},
		},
	})
}

// reviews sends batches of the same review to both webhooks in turn.
func (b *bench) reviews(ctx context.Context, patterns, batches, size int) ([]review, error) {
	body, err := suspectReview()
	if err != nil {
		return nil, err
	}
	webhooks := []struct {
		name, url string
		pid       int
	}{
		{"no-op", b.url, b.noop.Process.Pid},
		{"Embargo, suspect", "https://localhost:" + strconv.Itoa(b.replica.Port) + "/validate", b.replica.PID()},
	}
	cpu := map[string]time.Duration{}
	times := map[string][]time.Duration{}
	for batch := range batches + 1 {
		for _, w := range webhooks {
			before, err := processorTime(w.pid)
			if err != nil {
				return nil, err
			}
			taken, err := b.caller.batch(ctx, w.url, body, size)
			if err != nil {
				return nil, err
			}
			after, err := processorTime(w.pid)
			if err != nil {
				return nil, err
			}
			if batch > 0 { // the first warms up
				cpu[w.name] += after - before
				times[w.name] = append(times[w.name], taken...)
			}
		}
	}
	var all []review
	for _, w := range webhooks {
		all = append(all, review{patterns, w.name, float64(cpu[w.name].Microseconds()) / float64(batches*size), latencyOf(times[w.name]).P50})
	}
	return all, nil
}

func (c *caller) batch(ctx context.Context, url string, body []byte, size int) ([]time.Duration, error) {
	taken := make([]time.Duration, 0, size)
	for range size {
		start := time.Now()
		if err := c.call(ctx, url, body); err != nil {
			return nil, err
		}
		taken = append(taken, time.Since(start))
	}
	return taken, nil
}

// tick is the unit of processor times in /proc (Linux' USER_HZ, 100 on all platforms
// that Go runs on).
const tick = 10 * time.Millisecond

// processorTime returns the user and system time of a process so far (proc(5), stat).
func processorTime(pid int) (time.Duration, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, ok := strings.Cut(string(content), ") ") // the name before may hold anything
	fields := strings.Fields(rest)
	if !ok || len(fields) < 13 {
		return 0, errors.New("/proc has no processor time of the process")
	}
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(fields[12])
	return time.Duration(user+system) * tick, err
}

// asked returns how many reviews Embargo has answered.
func (b *bench) asked(ctx context.Context) (float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.replica.Metrics, nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close() //nolint:errcheck // read only
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		return 0, err
	}
	total := 0.0
	for _, m := range families["controller_runtime_webhook_requests_total"].GetMetric() {
		for _, label := range m.GetLabel() {
			if label.GetName() == "webhook" && label.GetValue() == "/validate" {
				total += m.GetCounter().GetValue()
			}
		}
	}
	return total, nil
}
