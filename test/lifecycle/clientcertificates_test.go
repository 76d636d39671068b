package lifecycle_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/test/controlplane"
	"embargo.dev/test/installation"
)

// TestOnlyTheAPIServerCalls follows docs/how-to/client-certificates.md: the API server
// presents a client certificate, and nobody else gets past the TLS handshake.
func TestOnlyTheAPIServerCalls(t *testing.T) {
	s := setUpOn(t, controlplane.Options{}, nil)
	require.NoError(t, s.replica.Stop())
	var err error
	// A leader that can't renew its lease while the API server restarts would stop.
	s.replica, err = installation.Start(s.plane, binary, "", s.log, "--leader-election-disabled",
		"--webhook-client-ca="+s.plane.CAFile(), "--webhook-client-subjects=kube-apiserver", "--tls-min-version=VersionTLS13", "--metrics-secure")
	require.NoError(t, err)
	require.NoError(t, s.replica.AwaitReady(t.Context()))
	s.refusedWith(t, "tls: certificate required")

	require.NoError(t, s.plane.RestartAPIServer(t.Context(), "--admission-control-config-file="+s.admissionConfiguration(t, "kube-apiserver")))
	s.refusedWith(t, "refused by cluster policy")

	for _, c := range []struct {
		says string
		user string
	}{
		{"certificate required", ""},
		{"bad certificate", "system:admin"},
	} {
		_, err := s.call(t, c.user)
		require.ErrorContains(t, err, c.says)
	}
	answer, err := s.call(t, "kube-apiserver")
	require.NoError(t, err)
	assert.Contains(t, answer, "want application/json")

	s.metricsAreSecure(t)
}

// refusedWith waits until what is restricted is refused with a text.
func (s *stage) refusedWith(t *testing.T, text string) {
	t.Helper()
	var output string
	for until := time.Now().Add(30 * time.Second); !strings.Contains(output, text); time.Sleep(100 * time.Millisecond) {
		require.True(t, time.Now().Before(until), "the last answer: %s", output)
		var err error
		output, err = s.try(t, "run", "agent", "--image="+restricted)
		require.Error(t, err)
	}
}

// admissionConfiguration writes what makes the API server present a client certificate.
func (s *stage) admissionConfiguration(t *testing.T, name string) string {
	t.Helper()
	user, err := s.plane.UserConfig(name)
	require.NoError(t, err)
	dir := t.TempDir()
	write := func(file, content string) string {
		path := filepath.Join(dir, file)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	kubeconfig := write("webhook-clients.yaml", fmt.Sprintf(`
apiVersion: v1
kind: Config
users:
  - name: "*"
    user: {client-certificate: %q, client-key: %q}
`, write("client.crt", string(user.CertData)), write("client.key", string(user.KeyData))))
	return write("admission.yaml", fmt.Sprintf(`
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
  - name: ValidatingAdmissionWebhook
    configuration:
      apiVersion: apiserver.config.k8s.io/v1
      kind: WebhookAdmissionConfiguration
      kubeConfigFile: %q
`, kubeconfig))
}

// call calls the webhook with a certificate for a user, or without.
func (s *stage) call(t *testing.T, user string) (string, error) {
	t.Helper()
	settings := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // what the webhook serves by is not the point
	if user != "" {
		config, err := s.plane.UserConfig(user)
		require.NoError(t, err)
		certificate, err := tls.X509KeyPair(config.CertData, config.KeyData)
		require.NoError(t, err)
		settings.Certificates = []tls.Certificate{certificate}
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: settings}}
	defer client.CloseIdleConnections()
	response, err := client.Post(fmt.Sprintf("https://127.0.0.1:%d/validate", s.replica.Port), "text/plain", nil)
	if err != nil {
		return "", err
	}
	defer response.Body.Close() //nolint:errcheck // read only
	text, err := io.ReadAll(response.Body)
	return string(text), err
}

// metricsAreSecure reads /metrics with tokens of users who may and who may not.
func (s *stage) metricsAreSecure(t *testing.T) {
	t.Helper()
	s.kubectl(t, "create", "serviceaccount", "prometheus")
	s.kubectl(t, "create", "serviceaccount", "stranger")
	s.kubectl(t, "create", "clusterrole", "metrics-reader", "--verb=get", "--non-resource-url=/metrics")
	s.kubectl(t, "create", "clusterrolebinding", "metrics-reader", "--clusterrole=metrics-reader", "--serviceaccount=default:prometheus")
	token := func(account string) string { return strings.TrimSpace(s.kubectl(t, "create", "token", account)) }
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // as above
	defer client.CloseIdleConnections()
	for _, c := range []struct {
		name, token string
		status      int
	}{
		{"a reader", token("prometheus"), http.StatusOK},
		{"a reader again", token("prometheus"), http.StatusOK},
		{"a stranger", token("stranger"), http.StatusForbidden},
		{"an invented token", "invented", http.StatusUnauthorized},
		{"nobody", "", http.StatusUnauthorized},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.Replace(s.replica.Metrics, "http:", "https:", 1), nil)
		require.NoError(t, err)
		if c.token != "" {
			request.Header.Set("Authorization", "Bearer "+c.token)
		}
		response, err := client.Do(request)
		require.NoError(t, err)
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, c.status, response.StatusCode, c.name)
		assert.Equal(t, c.status == http.StatusOK, strings.Contains(string(text), "embargo_"), c.name)
	}
}
