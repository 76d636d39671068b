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
)

func TestTheCABeforeIsKeptFromTheConfiguration(t *testing.T) {
	now := time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)
	ca := func(serial int64, until time.Time) []byte {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotBefore: now.Add(-time.Hour), NotAfter: until}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		require.NoError(t, err)
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	first, second, expired := ca(1, now.Add(time.Hour)), ca(2, now.Add(time.Hour)), ca(3, now.Add(-time.Minute))
	both := slices.Concat(second, first)
	for label, c := range map[string]struct{ own, there, want []byte }{
		"there is none":             {second, nil, second},
		"it is the same":            {second, second, second},
		"another was there":         {second, first, both},
		"it has been kept":          {second, both, both},
		"this replica knows better": {both, expired, both},
		"the other has expired":     {second, expired, second},
	} {
		assert.Equal(t, string(c.want), string(withFormer(c.own, c.there, now)), label)
	}
}
