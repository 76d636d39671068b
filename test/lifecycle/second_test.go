package lifecycle_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/test/installation"
)

// TestASecondInstallationStandsBack installs one beside another, as while moving: it
// writes nothing and says so, and takes over when the first is uninstalled.
func TestASecondInstallationStandsBack(t *testing.T) {
	t.Parallel() // it mostly waits
	s := setUp(t)
	const webhooks = "validatingwebhookconfiguration/embargo"
	version := func() string { return s.kubectl(t, "get", webhooks, "-o", "jsonpath={.metadata.resourceVersion}") }
	owner := func() string {
		output, _ := s.try(t, "get", webhooks, "-o", "jsonpath={.metadata.ownerReferences[*].name}")
		return output
	}
	statuses := func() string {
		return s.kubectl(t, "get", "restrictedvendors,vendorpolicies", "-o", "jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.resourceVersion}{'\\n'}{end}")
	}
	require.Eventually(t, func() bool {
		return s.kubectl(t, "get", "vendorpolicy", "default", "-o", "jsonpath={.status.findings}") != ""
	}, patience, 100*time.Millisecond)
	s.kubectl(t, "create", "namespace", "second")
	s.kubectl(t, "-n", "second", "create", "secret", "generic", certificateSecret) // comes with an installation
	s.kubectl(t, "create", "clusterrole", "second", "--verb=get", "--resource=nodes")
	before, said := version(), statuses()

	second, err := installation.Start(s.plane, binary, "", s.log, "--namespace=second", "--installation=second")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, second.Stop()) })
	require.Eventually(t, func() bool {
		return strings.Contains(metrics(second), "\nembargo_webhook_conflict 1\n")
	}, patience, 100*time.Millisecond)
	assert.Contains(t, metrics(second), "\nembargo_webhook_registered 0\n")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, second.AwaitReady(ctx))
	for until := time.Now().Add(3 * retries); time.Now().Before(until); {
		require.Equal(t, before, version())
		require.Equal(t, said, statuses())
	}
	assert.Contains(t, metrics(s.replica), "\nembargo_webhook_repairs_total 0\n")

	// The first repairs its configuration before the second takes it for gone.
	s.kubectl(t, "delete", webhooks)
	require.Eventually(t, func() bool { return owner() == "embargo" }, patience, 50*time.Millisecond)
	assert.Contains(t, metrics(second), "\nembargo_webhook_conflict 1\n")

	require.NoError(t, s.replica.Stop())
	s.kubectl(t, "delete", "clusterrole", "embargo")
	begin := time.Now()
	require.Eventually(t, func() bool { return owner() == "second" }, patience, 100*time.Millisecond)
	t.Logf("the second took over after %s", time.Since(begin).Round(time.Millisecond))
	require.Eventually(t, func() bool {
		output, err := s.try(t, "run", "loose", "--image="+restricted)
		return err != nil && strings.Contains(output, "refused by cluster policy")
	}, patience, 100*time.Millisecond)
	assert.Contains(t, metrics(second), "\nembargo_webhook_conflict 0\n")
}

// retries is how often a leader that can't write tries again.
const retries = 2 * time.Second

// metricsOf reads those of a replica that may not serve yet.
func metrics(replica *installation.Replica) string {
	response, err := http.Get(replica.Metrics)
	if err != nil {
		return ""
	}
	defer response.Body.Close() //nolint:errcheck // read only
	content, _ := io.ReadAll(response.Body)
	return string(content)
}
