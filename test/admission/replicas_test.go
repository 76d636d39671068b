package admission_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"

	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/test/installation"
)

// webhookClient trusts what the API server is told to trust.
func webhookClient(t *testing.T) *http.Client {
	t.Helper()
	encoded := must(t, "get", "validatingwebhookconfiguration", "embargo", "-o", "jsonpath={.webhooks[0].clientConfig.caBundle}")
	bundle, err := base64.StdEncoding.DecodeString(encoded)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(bundle))
	return &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
}

func ask(c *http.Client, replica *installation.Replica, image string) (allowed bool, err error) {
	review := fmt.Sprintf(`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","kind":{"version":"v1","kind":"Pod"},
		"resource":{"version":"v1","resource":"pods"},"namespace":"default","name":"p","operation":"CREATE","userInfo":{"username":"jane"},
		"object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":%q}]}}}}`, image)
	response, err := c.Post("https://localhost:"+strconv.Itoa(replica.Port)+"/validate", "application/json", bytes.NewReader([]byte(review)))
	if err != nil {
		return false, err
	}
	defer response.Body.Close() //nolint:errcheck // read only
	var answer admissionv1.AdmissionReview
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return false, err
	}
	return answer.Response.Allowed, nil
}

// phaseLatency is how late a phase may be on any replica.
const phaseLatency = 100 * time.Millisecond

func TestAPhaseBeginsOnEveryReplicaAtItsInstant(t *testing.T) {
	begins := time.Now().Add(8 * time.Second).Truncate(time.Second)
	restrict(t, vendor("instant", fmt.Sprintf(`{phase: announced, effective: "2020-01-01", introduce: Warn, update: Warn, continue: Audit}, {phase: prohibited, effective: %q, introduce: Deny, update: Deny, continue: Warn}`, begins.UTC().Format(time.RFC3339))))
	c := webhookClient(t)
	var wait sync.WaitGroup
	for i, replica := range stage.Replicas {
		wait.Go(func() {
			lastAllowed, firstRefused := watchPhase(t, c, replica, begins.Add(2*time.Second))
			t.Logf("replica %d: last admitted %s, first refused %s after the phase began", i, lastAllowed.Sub(begins), firstRefused.Sub(begins))
			assert.Less(t, lastAllowed.Sub(begins), phaseLatency)
			assert.GreaterOrEqual(t, firstRefused.Sub(begins), -time.Millisecond, "never early")
		})
	}
	wait.Wait()
}

// watchPhase asks a replica again and again, and returns when it was last sent a
// request that it admitted and when it first refused one.
func watchPhase(t *testing.T, c *http.Client, replica *installation.Replica, until time.Time) (lastAllowed, firstRefused time.Time) {
	t.Helper()
	for time.Now().Before(until) {
		sent := time.Now()
		allowed, err := ask(c, replica, "registry.instant.example/agent:1")
		if err != nil {
			t.Errorf("asking the replica: %v", err)
			return lastAllowed, firstRefused
		}
		if allowed {
			lastAllowed = sent
		} else if firstRefused.IsZero() {
			firstRefused = time.Now()
		}
		time.Sleep(2 * time.Millisecond)
	}
	return lastAllowed, firstRefused
}

// memoryBar is the resident memory of a controller at rest, in bytes.
const memoryBar = 64 << 20

func TestMemoryAtRest(t *testing.T) {
	for _, replica := range stage.Replicas {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", replica.PID()))
		if os.IsNotExist(err) {
			t.Skip("this system has no /proc")
		}
		require.NoError(t, err)
		_, rest, _ := strings.Cut(string(status), "VmRSS:")
		kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
		require.NoError(t, err)
		t.Logf("resident: %.1f MiB", float64(kilobytes)/1024)
		assert.LessOrEqual(t, kilobytes<<10, memoryBar)
	}
}

// metricLabel returns a label of the only sample of a metric.
func metricLabel(t *testing.T, url, metric, label string) string {
	t.Helper()
	response, err := http.Get(url) // a replica's own
	require.NoError(t, err)
	defer response.Body.Close() //nolint:errcheck // read only
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	require.NoError(t, err)
	for _, sample := range families[metric].GetMetric() {
		for _, pair := range sample.GetLabel() {
			if pair.GetName() == label {
				return pair.GetValue()
			}
		}
	}
	return ""
}

// metricValue sums the samples of a metric that have a label; "" for all of them.
func metricValue(t *testing.T, url, metric, label, value string) (sum float64) {
	t.Helper()
	response, err := http.Get(url) // a replica's own
	require.NoError(t, err)
	defer response.Body.Close() //nolint:errcheck // read only
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	require.NoError(t, err)
	for _, sample := range families[metric].GetMetric() {
		counts := label == ""
		for _, pair := range sample.GetLabel() {
			counts = counts || pair.GetName() == label && pair.GetValue() == value
		}
		if counts {
			sum += sample.GetCounter().GetValue() + sample.GetGauge().GetValue()
		}
	}
	return sum
}

// exportedDigest compiles what the cluster holds now.
func exportedDigest(t *testing.T) string {
	t.Helper()
	var (
		vendors v1alpha1.RestrictedVendorList
		vp      v1alpha1.VendorPolicyList
		waivers v1alpha1.VendorWaiverList
	)
	require.NoError(t, stage.Admin.List(t.Context(), &vendors))
	require.NoError(t, stage.Admin.List(t.Context(), &vp))
	require.NoError(t, stage.Admin.List(t.Context(), &waivers))
	rules, _ := policies.Compile(policies.Source{Vendors: vendors.Items, Policies: vp.Items, Waivers: waivers.Items})
	return rules.Digest()
}
