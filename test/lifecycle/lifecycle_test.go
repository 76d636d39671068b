// Package lifecycle_test checks what the controller leaves behind, and what it
// doesn't bring back.
package lifecycle_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/test/controlplane"
	"embargo.dev/test/installation"
)

// stage is a control plane with one replica of the controller.
type stage struct {
	plane   *controlplane.ControlPlane
	log     *os.File
	replica *installation.Replica
	flags   []string // of every replica that is started
	// kubeconfig is the one of every replica that is started, "" for the administrator's.
	kubeconfig string
	// obstacle, where there is one, stands between API server and replica.
	obstacle *obstacle
}

func setUp(t *testing.T) *stage {
	t.Helper()
	return setUpOn(t, controlplane.Options{ControllerManager: true}, nil)
}

// setUpOn starts a control plane of the given options, with a replica behind the
// obstacle if there is one.
func setUpOn(t *testing.T, o controlplane.Options, between *obstacle, flags ...string) *stage {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	dir := t.TempDir()
	s := &stage{obstacle: between, flags: flags}
	o.Progress = os.Stderr
	var err error
	s.plane, err = controlplane.Start(ctx, o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.plane.Stop()) })
	require.NoError(t, installation.Prepare(ctx, s.plane, root))
	s.log, err = os.Create(filepath.Join(dir, "log"))
	require.NoError(t, err)
	t.Cleanup(func() {
		if s.replica != nil {
			assert.NoError(t, s.replica.Stop())
		}
	})
	s.start(t)
	require.NoError(t, installation.AwaitRegistered(ctx, s.plane))
	return s
}

// start starts a replica and waits until it is ready.
func (s *stage) start(t *testing.T) {
	t.Helper()
	s.launch(t)
	s.awaitReady(t)
}

// launch starts a replica.
func (s *stage) launch(t *testing.T) {
	t.Helper()
	flags := slices.Clone(s.flags)
	if s.obstacle != nil {
		flags = append(flags, "--webhook-url="+s.obstacle.URL())
	}
	replica, err := installation.Start(s.plane, binary, s.kubeconfig, s.log, flags...)
	require.NoError(t, err)
	if s.obstacle != nil {
		s.obstacle.leadTo(replica.Port)
	}
	s.replica = replica
}

func (s *stage) awaitReady(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, s.replica.AwaitReady(ctx))
}

func (s *stage) restart(t *testing.T) {
	t.Helper()
	require.NoError(t, s.replica.Stop())
	s.start(t)
}

// try runs the real kubectl.
func (s *stage) try(t *testing.T, args ...string) (string, error) {
	t.Helper()
	output, err := s.plane.Kubectl(t.Context(), args...).CombinedOutput()
	return string(output), err
}

func (s *stage) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	output, err := s.try(t, args...)
	require.NoError(t, err, output)
	return output
}

func TestUninstallingLeavesNothing(t *testing.T) {
	t.Parallel() // it mostly waits
	s := setUp(t)
	kubectl := func(args ...string) string { return s.kubectl(t, args...) }

	// The default policy stays deleted when somebody deletes it.
	kubectl("delete", "vendorpolicy", "default")
	s.restart(t)
	require.Eventually(t, func() bool {
		return s.hasMetric(t, "embargo_webhook_registered", 1) && s.enforced(t, "restrictedvendor/kaspersky") == "False NoPolicy"
	}, 30*time.Second, 200*time.Millisecond)
	assert.Empty(t, kubectl("get", "vendorpolicies", "-o", "name"))

	// A person's change of a built-in vendor survives a restart.
	kubectl("patch", "rv", "kaspersky", "--type=merge", `-p={"spec":{"displayName":"Kaspersky (all of it)"}}`)
	s.restart(t)
	require.Eventually(t, func() bool {
		return strings.Contains(s.logged(t), "was changed by someone else and is left as it is")
	}, 30*time.Second, 200*time.Millisecond)
	assert.Equal(t, "Kaspersky (all of it)", kubectl("get", "rv", "kaspersky", "-o", "jsonpath={.spec.displayName}"))

	// Without what the manifests bring, nothing stays, and nothing is written again. Only the
	// lease is: the replica still runs, and renews it.
	lease := func() string {
		return kubectl("-n", "embargo-system", "get", "lease", "embargo", "-o", "jsonpath={.metadata.uid}", "--ignore-not-found")
	}
	owned := lease()
	require.NotEmpty(t, owned)
	kubectl("delete", "clusterrole/embargo")
	kubectl("-n", "embargo-system", "delete", "secret", certificateSecret)
	left := func() string {
		return kubectl("get", "validatingwebhookconfigurations", "-o", "name") +
			kubectl("-n", "embargo-system", "get", "secrets,configmaps", "-o", "name", "--field-selector=metadata.name!=kube-root-ca.crt")
	}
	poll(t, 30*time.Second, func() bool { return left() == "" && lease() != owned })
	for until := time.Now().Add(5 * time.Second); time.Now().Before(until); {
		require.Empty(t, left())
	}
	kubectl("run", "free", "--image=kaspersky/scanengine_httpd:2.1")
}

const certificateSecret = "embargo-webhook-certificate"

// TestADeletedCertificateIsMadeAgainByOneCommand: the controller may create no Secret.
func TestADeletedCertificateIsMadeAgainByOneCommand(t *testing.T) {
	s := setUp(t)
	const command = "kubectl -n embargo-system create secret generic " + certificateSecret
	refused := func() bool {
		output, err := s.try(t, "run", "bad", "--image=kaspersky/scanengine_httpd:2.1", "--dry-run=server")
		return err != nil && strings.Contains(output, "refused by cluster policy")
	}
	logged := func() bool {
		content, err := os.ReadFile(s.log.Name())
		return err == nil && strings.Contains(string(content), command)
	}
	certificate := func() string {
		return s.kubectl(t, "-n", "embargo-system", "get", "secret", certificateSecret, "-o", `jsonpath={.data.tls\.crt}`)
	}
	before := certificate()
	s.kubectl(t, "-n", "embargo-system", "delete", "secret", certificateSecret)
	poll(t, 10*time.Second, logged)
	assert.True(t, refused(), "a replica that runs serves from memory")
	_, ready := s.replica.Readiness(t.Context(), "certificate")
	assert.True(t, ready)

	require.NoError(t, s.replica.Stop())
	s.launch(t)
	poll(t, 30*time.Second, func() bool {
		reason, ready := s.replica.Readiness(t.Context(), "certificate")
		return !ready && strings.Contains(reason, command)
	})
	s.kubectl(t, strings.Fields(command)[1:]...)
	s.awaitReady(t)
	assert.NotEqual(t, before, certificate())
	poll(t, 30*time.Second, refused)
}

// TestAChangeOfLeadersChangesNoStatus: what the one before wrote is in force meanwhile.
func TestAChangeOfLeadersChangesNoStatus(t *testing.T) {
	s := setUp(t)
	versions := func() string {
		return s.kubectl(t, "get", "restrictedvendors,vendorpolicies", "-o", "jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.resourceVersion}{'\\n'}{end}")
	}
	holder := func() string {
		return s.kubectl(t, "-n", "embargo-system", "get", "lease", "embargo", "-o", "jsonpath={.spec.holderIdentity}")
	}
	counted := func() bool {
		return s.kubectl(t, "get", "vendorpolicy", "default", "-o", "jsonpath={.status.findings}") != ""
	}
	require.Eventually(t, counted, 30*time.Second, 100*time.Millisecond)
	before, led := versions(), holder()
	s.restart(t)
	leads := func() bool {
		response, err := http.Get(s.replica.Metrics)
		require.NoError(t, err)
		defer response.Body.Close() //nolint:errcheck // read only
		metrics, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return holder() != led && strings.Contains(string(metrics), "\nembargo_webhook_registered 1\n")
	}
	require.Eventually(t, leads, time.Minute, 100*time.Millisecond)
	for until := time.Now().Add(5 * time.Second); time.Now().Before(until); {
		require.Equal(t, before, versions())
	}
}

// logged returns all that replicas have logged.
func (s *stage) logged(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(s.log.Name())
	require.NoError(t, err)
	return string(content)
}

// applyFile applies a manifest.
func (s *stage) applyFile(t *testing.T, manifest string) {
	t.Helper()
	cmd := s.plane.Kubectl(t.Context(), "apply", "-f", "-")
	cmd.Stdin = strings.NewReader(manifest)
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, string(output))
}

// poll waits until something holds. It looks in the test's own goroutine, so that nothing
// is asked any more when the test has ended.
func poll(t *testing.T, within time.Duration, holds func() bool) {
	t.Helper()
	for until := time.Now().Add(within); !holds(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(until) {
			require.Fail(t, "it didn't come about", "within %s", within)
		}
	}
}
