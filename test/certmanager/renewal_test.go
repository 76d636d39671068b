//go:build certmanager

package certmanager_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"embargo.dev/test/load"
)

// The Secrets that the chart's Certificates name.
const (
	serving = "embargo-webhook-tls"
	ca      = "embargo-ca"
)

// TestCertManagerKeepsTheCertificate renews in every way that people do, while clean and
// restricted workloads are created. No request may be lost: there is a replica at every
// moment.
func TestCertManagerKeepsTheCertificate(t *testing.T) {
	c := start(t)
	begun := time.Now()
	c.helm(t, "install", "cert-manager")
	first := c.issued(t, serving, nil)
	t.Logf("issued %s after helm install began", time.Since(begun).Round(100*time.Millisecond))
	assert.Equal(t, []string{"embargo-webhook.embargo-system.svc"}, certificate(t, first, corev1.TLSCertKey).DNSNames)

	leader := c.replica(t, first)
	leader.awaitReady(t)
	leader.join(t)
	eventually(t, func() bool { return c.enforced(t) }, "it is enforced")
	t.Logf("enforced %s after helm install began", time.Since(begun).Round(100*time.Millisecond))
	c.assertBundle(t, first)
	c.assertNobodyElseWrites(t)
	c.assertDecisions(t)
	other := c.replica(t, first)
	other.awaitReady(t)
	other.join(t)

	c.kubectl(t, "create", "namespace", "shop")
	running, err := load.Start(t.Context(), load.Plan{Config: c.plane.Config(), Namespace: "shop", Rate: 20, InFlight: 200, Requests: 100_000})
	require.NoError(t, err)
	renewals := []struct {
		name  string
		renew func()
	}{
		{"its Secret is deleted", func() { c.kubectl(t, "-n", namespace, "delete", "secret", serving) }},
		{"the Certificate is changed", func() {
			c.kubectl(t, "-n", namespace, "patch", "certificate", "embargo-webhook", "--type=merge", "-p", `{"spec":{"duration":"1080h"}}`)
		}},
		{"the CA is another", func() {
			before := c.issued(t, ca, nil)
			c.kubectl(t, "-n", namespace, "delete", "secret", ca)
			c.issued(t, ca, before)
			c.awaitIssuer(t)
			c.kubectl(t, "-n", namespace, "delete", "secret", serving)
		}},
	}
	current := first
	for _, r := range renewals {
		begun := time.Now()
		r.renew()
		current = c.issued(t, serving, current)
		t.Logf("%s: issued after %s", r.name, time.Since(begun).Round(100*time.Millisecond))
		// kubelets show it to one replica long before the other.
		other.mount.update(t, current)
		newcomer := c.replica(t, current) // as where a node is drained meanwhile
		newcomer.awaitReady(t)
		newcomer.join(t)
		c.goOn(t, running, 15*time.Second)
		leader.mount.update(t, current)
		leader.serves(t, current)
		other.serves(t, current)
		c.assertBundle(t, current)
		written := c.configuration(t).Generation
		c.goOn(t, running, 3*time.Second)
		assert.Equal(t, written, c.configuration(t).Generation, "replicas agree on the bundle, and don't write in turns")
	}
	records := running.Stop()
	t.Logf("\n%s", records.Summary())
	assertNoneLost(t, records)
}

// TestCertManagerTakesOver goes from certificates that Embargo keeps itself to
// cert-manager's, while the old replica still leads.
func TestCertManagerTakesOver(t *testing.T) {
	c := start(t)
	c.helm(t, "install", "managed")
	leader := c.replica(t, nil)
	leader.awaitReady(t)
	leader.join(t)
	eventually(t, func() bool { return c.enforced(t) }, "it is enforced")

	c.kubectl(t, "create", "namespace", "shop")
	running, err := load.Start(t.Context(), load.Plan{Config: c.plane.Config(), Namespace: "shop", Rate: 20, InFlight: 200, Requests: 100_000})
	require.NoError(t, err)
	c.helm(t, "upgrade", "cert-manager")
	secret := c.issued(t, serving, nil)
	next := c.replica(t, secret)
	next.awaitReady(t)
	c.assertBundle(t, secret)
	next.join(t)
	c.goOn(t, running, 10*time.Second)
	records := running.Stop()
	t.Logf("\n%s", records.Summary())
	assertNoneLost(t, records)
}

// goOn waits until the load has gone on for a while.
func (c *cluster) goOn(t *testing.T, running *load.Generator, period time.Duration) {
	t.Helper()
	until := time.Now().Add(period)
	eventually(t, func() bool {
		records := running.Records()
		return len(records) > 0 && records[len(records)-1].Sent.After(until)
	}, "the load goes on")
}

func assertNoneLost(t *testing.T, records load.Records) {
	t.Helper()
	want := map[load.Class]load.Outcome{load.Clean: load.Admitted, load.Suspected: load.Admitted, load.Restricted: load.Denied}
	wrong := records.Where(func(r load.Record) bool { return r.Outcome != want[r.Class] })
	assert.Empty(t, wrong[:min(len(wrong), 5)], "%d of %d", len(wrong), len(records))
	assert.Greater(t, len(records.Of(load.Restricted)), 50)
}

// enforced reports whether the API server asks Embargo about workloads.
func (c *cluster) enforced(t *testing.T) bool {
	t.Helper()
	output, err := c.try(t.Context(), "get", "vendorpolicy", "default", "-o", `jsonpath={.status.conditions[?(@.type=="Enforced")].status}`)
	return err == nil && output == "True"
}

// configuration returns what the API server calls by.
func (c *cluster) configuration(t *testing.T) *admissionv1.ValidatingWebhookConfiguration {
	t.Helper()
	configuration, err := c.client.AdmissionregistrationV1().ValidatingWebhookConfigurations().Get(t.Context(), "embargo", metav1.GetOptions{})
	require.NoError(t, err)
	require.NotEmpty(t, configuration.Webhooks)
	return configuration
}

// assertBundle waits until every entry trusts the Secret's CA.
func (c *cluster) assertBundle(t *testing.T, secret *corev1.Secret) {
	t.Helper()
	eventually(t, func() bool {
		return !slices.ContainsFunc(c.configuration(t).Webhooks, func(entry admissionv1.ValidatingWebhook) bool {
			return !trusts(t, entry.ClientConfig.CABundle, secret)
		})
	}, "every entry trusts the CA")
}

// assertNobodyElseWrites insists that the bundle is Embargo's: nothing asks cert-manager's
// injector to write it too.
func (c *cluster) assertNobodyElseWrites(t *testing.T) {
	t.Helper()
	configuration := c.configuration(t)
	for key := range configuration.Annotations {
		assert.NotContains(t, key, "cert-manager.io/")
	}
	for _, entry := range configuration.ManagedFields {
		assert.Equal(t, "embargo", entry.Manager)
	}
}

// assertDecisions checks that the API server reaches Embargo by its Service.
func (c *cluster) assertDecisions(t *testing.T) {
	t.Helper()
	output, err := c.try(t.Context(), "create", "deployment", "av", "--image=kaspersky/scanengine_httpd:2.1")
	require.Error(t, err)
	assert.Contains(t, output, `admission webhook "introductions.embargo.dev" denied the request`)
	assert.Contains(t, output, "refused by cluster policy")
	c.kubectl(t, "create", "deployment", "web", "--image=registry.example.com/shop/web:1.4")
}

// awaitIssuer waits until the issuer signs by the CA that is there now.
func (c *cluster) awaitIssuer(t *testing.T) {
	t.Helper()
	c.kubectl(t, "-n", namespace, "wait", "--for=condition=Ready", "certificate/embargo-ca", "issuer/embargo-ca", "--timeout=30s")
}
