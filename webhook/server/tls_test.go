package server

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func debugHandler(lines *bytes.Buffer) slog.Handler {
	return slog.NewTextHandler(lines, &slog.HandlerOptions{Level: slog.LevelDebug})
}

func TestMinVersion(t *testing.T) {
	for name, want := range map[string]uint16{"VersionTLS12": tls.VersionTLS12, "VersionTLS13": tls.VersionTLS13} {
		version, err := MinVersion(name)
		require.NoError(t, err)
		assert.Equal(t, want, version)
	}
	for _, name := range []string{"VersionTLS11", "1.2", ""} {
		_, err := MinVersion(name)
		require.ErrorContains(t, err, "want VersionTLS12 or VersionTLS13")
	}
}

func TestCipherSuites(t *testing.T) {
	for _, c := range []struct {
		name, says string
		suites     []string
	}{
		{"none", "", nil},
		{"one", "", []string{"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}},
		{"without HTTP/2's", "HTTP/2 needs", []string{"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"}},
		{"an insecure one", "TLS_RSA_WITH_RC4_128_SHA is insecure; want some of TLS_", []string{"TLS_RSA_WITH_RC4_128_SHA"}},
		{"an unknown one", `"ECDHE-RSA" is not a cipher suite`, []string{"ECDHE-RSA"}},
		{"one of TLS 1.3", "is not a cipher suite of TLS 1.2", []string{"TLS_AES_128_GCM_SHA256"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ids, err := CipherSuites(c.suites)
			if c.says != "" {
				require.ErrorContains(t, err, c.says)
				return
			}
			require.NoError(t, err)
			assert.Len(t, ids, len(c.suites))
		})
	}
}

// authority signs client certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a test's CA"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{certificate, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

func (a *authority) issue(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestClientCertificatesAreDemanded(t *testing.T) {
	old, current := newAuthority(t), newAuthority(t)
	path := filepath.Join(t.TempDir(), "ca.crt")
	require.NoError(t, os.WriteFile(path, old.pem, 0o600))
	clientCA, err := NewClientCA(path, []string{"kube-apiserver"}, certified())
	require.NoError(t, err)
	r := start(t, clientCA.Config(), nil)
	status := func(http2 bool, certificates ...tls.Certificate) int {
		client := from(t, apiServerAddress, http2)
		client.Transport.(*http.Transport).TLSClientConfig.Certificates = certificates
		return r.review(t, client, "x")
	}
	for _, http2 := range []bool{false, true} {
		assert.Equal(t, http.StatusOK, status(http2, old.issue(t, "kube-apiserver")))
		assert.Zero(t, status(http2), "no certificate")
		assert.Zero(t, status(http2, current.issue(t, "kube-apiserver")), "of another CA")
		assert.Zero(t, status(http2, old.issue(t, "somebody")), "of another name")
	}

	require.NoError(t, os.WriteFile(path, []byte("no PEM"), 0o600))
	require.ErrorContains(t, clientCA.load(), "has no certificate")
	assert.Equal(t, http.StatusOK, status(true, old.issue(t, "kube-apiserver")), "the previous content stays in use")

	require.NoError(t, os.WriteFile(path, current.pem, 0o600))
	require.NoError(t, clientCA.load())
	assert.Equal(t, http.StatusOK, status(true, current.issue(t, "kube-apiserver")))
	assert.Zero(t, status(true, old.issue(t, "kube-apiserver")))
}

func TestAClientCAThatCannotBeReadIsAnError(t *testing.T) {
	_, err := NewClientCA(filepath.Join(t.TempDir(), "missing"), nil, certified())
	require.ErrorContains(t, err, "webhook.clientCA: open ")
}
