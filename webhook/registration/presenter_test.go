package registration

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	ac "k8s.io/client-go/applyconfigurations/admissionregistration/v1"
)

// newCA returns a CA's certificate.
func newCA(t *testing.T, serial int64, from, until time.Time) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotBefore: from, NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func TestAReplicaPresentsWhatTheLeaderHasNotSeen(t *testing.T) {
	now := time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)
	ca := func(serial int64) []byte { return newCA(t, serial, now.Add(-time.Hour), now.Add(time.Hour)) }
	old, fresh := ca(1), ca(2)
	entries := func(bundle []byte) []ac.ValidatingWebhookApplyConfiguration {
		return []ac.ValidatingWebhookApplyConfiguration{
			*ac.ValidatingWebhook().WithName("a").WithClientConfig(ac.WebhookClientConfig().WithCABundle(bundle...)),
			*ac.ValidatingWebhook().WithName("b").WithClientConfig(ac.WebhookClientConfig().WithCABundle(bundle...)),
			*ac.ValidatingWebhook().WithName("somebody else's"),
		}
	}
	there := entries(old)
	assert.True(t, addCAs(there, slices.Concat(fresh, old), now))
	for _, entry := range there[:2] {
		assert.Equal(t, string(slices.Concat(fresh, old)), string(entry.ClientConfig.CABundle))
	}
	assert.False(t, addCAs(there, fresh, now), "it is known")
	kept := withOthers(old, there[0].ClientConfig.CABundle, now)
	assert.Equal(t, string(slices.Concat(old, fresh)), string(kept), "the leader keeps it")
	assert.False(t, addCAs(entries(kept), slices.Concat(fresh, old), now), "and that is enough for the replica")
	expired := newCA(t, 3, now.Add(-2*time.Hour), now.Add(-time.Hour))
	assert.False(t, addCAs(entries(old), slices.Concat(old, expired), now), "what has expired need not be known")
}
