//go:build certmanager

package certmanager_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"embargo.dev/test/installation"
)

// replica is a controller beside the cluster, with a mount of its own.
type replica struct {
	*installation.Replica

	mount   mount
	cluster *cluster
}

// replica starts one with the Deployment's settings, but for where its files are: those of
// a Secret, or none where it keeps its certificate itself. It is reached by its Service
// once it is among the endpoints.
func (c *cluster) replica(t *testing.T, secret *corev1.Secret) *replica {
	t.Helper()
	path, config, kubeconfig := c.binary(t)
	flags := []string{"--config=" + config, "--webhook-url=", "--webhook-host=0.0.0.0"}
	var m mount
	if secret != nil {
		m = newMount(t, secret)
		flags = append(flags, "--cert-dir="+string(m))
	}
	running, err := installation.Start(c.plane, path, kubeconfig, t.Output(), flags...)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, running.Stop()) })
	return &replica{running, m, c}
}

func (r *replica) awaitReady(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, r.AwaitReady(ctx))
}

// serves waits until the replica serves a Secret's certificate.
func (r *replica) serves(t *testing.T, secret *corev1.Secret) {
	t.Helper()
	want := certificate(t, secret, corev1.TLSCertKey)
	eventually(t, func() bool { return r.served(t).Equal(want) }, "the replica serves the certificate")
}

// served returns the certificate that it shows to whoever connects.
func (r *replica) served(t *testing.T) *x509.Certificate {
	t.Helper()
	// Not verified: the caller compares it with the one that is right.
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
	connection, err := dialer.DialContext(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(r.Port)))
	require.NoError(t, err)
	defer connection.Close() //nolint:errcheck // only looked at
	return connection.(*tls.Conn).ConnectionState().PeerCertificates[0]
}

// join puts the replica among the endpoints of its Service, as the endpoints' controller
// does with one that is ready.
func (r *replica) join(t *testing.T) {
	t.Helper()
	port := int32(r.Port)
	ready, name, protocol := true, "webhook", corev1.ProtocolTCP
	_, err := r.cluster.client.DiscoveryV1().EndpointSlices(namespace).Create(t.Context(), &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{GenerateName: "replica-", Labels: map[string]string{discoveryv1.LabelServiceName: "embargo-webhook"}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{r.cluster.address}, Conditions: discoveryv1.EndpointConditions{Ready: &ready}}},
		Ports:       []discoveryv1.EndpointPort{{Name: &name, Port: &port, Protocol: &protocol}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
}
