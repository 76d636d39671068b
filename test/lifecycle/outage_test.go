package lifecycle_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const restricted = "kaspersky/scanengine_httpd:2.1"

// TestAnOutageRefusesOnlySuspects kills the controller: clean workloads don't notice,
// what runs goes on, and what people newly bring in of a listed vendor is refused.
func TestAnOutageRefusesOnlySuspects(t *testing.T) {
	s := setUp(t)
	kubectl := func(args ...string) string { return s.kubectl(t, args...) }
	kubectl("patch", "vendorpolicy", "default", "--type=merge", `-p={"spec":{"enforcement":"Warn"}}`)
	require.Eventually(t, func() bool {
		output, err := s.try(t, "create", "deployment", "agent", "--image="+restricted)
		return err == nil && strings.Contains(output, "Warning")
	}, 15*time.Second, 200*time.Millisecond, "it is there before the outage")
	kubectl("patch", "vendorpolicy", "default", "--type=merge", `-p={"spec":{"enforcement":"Deny"}}`)
	require.Eventually(t, func() bool {
		_, err := s.try(t, "run", "probe", "--dry-run=server", "--image="+restricted)
		return err != nil
	}, 15*time.Second, 200*time.Millisecond)
	assert.Equal(t, "True", kubectl("get", "vendorpolicy", "default", "-o", `jsonpath={.status.conditions[?(@.type=="Prefiltered")].status}`))

	require.NoError(t, s.replica.Kill())
	kubectl("create", "deployment", "web", "--image=nginx:1.27")
	kubectl("run", "clean", "--image=registry.k8s.io/pause:3.9")
	kubectl("scale", "deployment", "agent", "--replicas=2")
	kubectl("label", "deployment", "agent", "tier=two")
	kubectl("rollout", "restart", "deployment", "agent")
	kubectl("delete", "pods", "-l", "app=agent", "--wait=false")
	require.Eventually(t, func() bool {
		return len(strings.Fields(kubectl("get", "pods", "-l", "app=agent", "-o", "name"))) >= 2
	}, 20*time.Second, 200*time.Millisecond, "built-in controllers go on")
	for _, introduced := range [][]string{
		{"run", "loose", "--image=" + restricted},
		{"create", "deployment", "second", "--image=ghcr.io/kaspersky/agent"},
		{"set", "image", "deployment/web", "nginx=" + restricted},
		{"run", "odd", "--image=UPPER.example.com/kaspersky/x"},
	} {
		output, err := s.try(t, introduced...)
		require.Error(t, err, output)
		assert.Contains(t, output, `failed calling webhook "introductions.embargo.dev"`, "the API server's own error names the entry")
	}
	kubectl("delete", "deployment", "agent")

	s.start(t)
	// The killed one's lease has to run out before the new one, at another port, may
	// write the configuration.
	require.Eventually(t, func() bool {
		output, err := s.try(t, "run", "loose", "--image="+restricted)
		return err != nil && strings.Contains(output, "refused by cluster policy")
	}, 40*time.Second, 250*time.Millisecond, "all comes back by itself")
}

// TestCleanRequestsNeverLeaveTheAPIServer counts what the webhook is asked.
func TestCleanRequestsNeverLeaveTheAPIServer(t *testing.T) {
	s := setUp(t)
	asked := func() string {
		return s.kubectl(t, "get", "--raw", "/metrics")
	}
	count := func() int {
		n := 0
		for line := range strings.Lines(asked()) {
			if strings.HasPrefix(line, "apiserver_admission_webhook_request_total") && strings.Contains(line, "introductions.embargo.dev") {
				n++
			}
		}
		return n
	}
	s.kubectl(t, "create", "deployment", "web", "--image=nginx:1.27", "--replicas=3")
	s.kubectl(t, "run", "clean", "--image=docker.io/library/redis:7@sha256:"+strings.Repeat("a", 64))
	s.kubectl(t, "scale", "deployment", "web", "--replicas=5")
	assert.Zero(t, count())
	_, err := s.try(t, "run", "bad", "--image="+restricted)
	require.Error(t, err)
	assert.Positive(t, count())
}
