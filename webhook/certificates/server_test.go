package certificates

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// authority makes certificates for tests.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         []byte
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{certificate, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

func (a *authority) issue(t *testing.T) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, private.Public(), a.key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalECPrivateKey(private)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})
}

func TestTheFormerCAStaysInTheBundle(t *testing.T) {
	s := &Server{}
	require.Error(t, s.Check(nil))
	assert.Empty(t, s.CABundle())
	changed := s.Changed()
	first, second := newAuthority(t, "first"), newAuthority(t, "second")
	certificate, key := first.issue(t)
	require.NoError(t, s.use(certificate, key, first.pem))
	require.NoError(t, s.Check(nil))
	<-changed
	require.NoError(t, s.use(certificate, key, first.pem))
	assert.Empty(t, changed, "nothing changed")

	rotated, rotatedKey := second.issue(t)
	require.NoError(t, s.use(rotated, rotatedKey, second.pem))
	<-changed
	assert.Equal(t, string(second.pem)+string(first.pem), string(s.CABundle()))
	served, err := s.GetCertificate(nil)
	require.NoError(t, err)
	assert.Equal(t, "second", served.Leaf.Issuer.CommonName)
}

func TestACertificateOfAnotherCAIsServedOnceThatIsKnown(t *testing.T) {
	s := &Server{changeover: 200 * time.Millisecond}
	issuer := func() string {
		served, err := s.GetCertificate(nil)
		require.NoError(t, err)
		return served.Leaf.Issuer.CommonName
	}
	first, second := newAuthority(t, "first"), newAuthority(t, "second")
	certificate, key := first.issue(t)
	require.NoError(t, s.use(certificate, key, first.pem))
	assert.Equal(t, "first", issuer(), "there was none before")
	rotated, rotatedKey := second.issue(t)
	begun := time.Now()
	require.NoError(t, s.use(rotated, rotatedKey, second.pem))
	assert.Equal(t, string(second.pem)+string(first.pem), string(s.CABundle()), "it is told at once")
	assert.Equal(t, "first", issuer())
	again, againKey := second.issue(t)
	require.NoError(t, s.use(again, againKey, second.pem))
	assert.Equal(t, "first", issuer(), "nor is the next of that CA served before")
	require.Eventually(t, func() bool { return issuer() == "second" }, 5*time.Second, 10*time.Millisecond)
	assert.GreaterOrEqual(t, time.Since(begun), s.changeover)
	served, err := s.GetCertificate(nil)
	require.NoError(t, err)
	assert.Equal(t, again, encoded(served.Certificate[0]), "the last one")
	renewed, renewedKey := second.issue(t)
	require.NoError(t, s.use(renewed, renewedKey, second.pem))
	served, err = s.GetCertificate(nil)
	require.NoError(t, err)
	assert.Equal(t, renewed, encoded(served.Certificate[0]), "its CA is known")
}

func encoded(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func TestWhatDoesNotFitIsRefusedAndTheOldStays(t *testing.T) {
	s := &Server{}
	ca := newAuthority(t, "ca")
	certificate, key := ca.issue(t)
	require.NoError(t, s.use(certificate, key, ca.pem))
	_, otherKey := ca.issue(t)
	for label, files := range map[string][3][]byte{
		"another key":  {certificate, otherKey, ca.pem},
		"another CA":   {certificate, key, newAuthority(t, "other").pem},
		"no CA":        {certificate, key, []byte("nothing")},
		"no key":       {certificate, nil, ca.pem},
		"broken bytes": {[]byte("-----BEGIN"), key, ca.pem},
	} {
		require.Error(t, s.use(files[0], files[1], files[2]), label)
		assert.Equal(t, ca.pem, s.CABundle(), label)
	}
}

func TestFilesAreFollowed(t *testing.T) {
	dir := t.TempDir()
	_, err := NewFiles(dir)
	require.ErrorContains(t, err, "tls.crt")
	write := func(ca *authority) {
		certificate, key := ca.issue(t)
		for name, content := range map[string][]byte{"tls.crt": certificate, "tls.key": key, "ca.crt": ca.pem} {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
		}
	}
	write(newAuthority(t, "first"))
	f, err := NewFiles(dir)
	require.NoError(t, err)
	issuer := func() string {
		served, err := f.GetCertificate(nil)
		require.NoError(t, err)
		return served.Leaf.Issuer.CommonName
	}
	assert.Equal(t, changeover, f.changeover, "kubelets show files to replicas one after the other")
	f.changeover = 200 * time.Millisecond
	write(newAuthority(t, "second"))
	require.NoError(t, f.read())
	assert.Equal(t, "first", issuer(), "until the API server is told of the other CA")
	require.Eventually(t, func() bool { return issuer() == "second" }, 5*time.Second, 10*time.Millisecond)
}
