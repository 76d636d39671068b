//go:build e2e && linux

package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// secretName is the Secret in which the controller keeps its certificate.
const secretName = "embargo-webhook-certificate"

// certificate returns the serving certificate in the Secret, "" while there is none.
func certificate(t *testing.T) string {
	t.Helper()
	secret, err := stage.admin.CoreV1().Secrets(namespace).Get(t.Context(), secretName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return ""
	}
	require.NoError(t, err)
	return string(secret.Data[corev1.TLSCertKey])
}

// shorten replaces the certificate by one of the same authority that expires within the
// hour, and waits until it has been replaced in turn.
func shorten(t *testing.T) {
	t.Helper()
	secret, err := stage.admin.CoreV1().Secrets(namespace).Get(t.Context(), secretName, metav1.GetOptions{})
	require.NoError(t, err)
	authority, err := tls.X509KeyPair(secret.Data["ca.crt"], secret.Data["ca.key"])
	require.NoError(t, err)
	served, _ := pem.Decode(secret.Data[corev1.TLSCertKey])
	template, err := x509.ParseCertificate(served.Bytes)
	require.NoError(t, err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	short := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: template.Subject.CommonName}, DNSNames: template.DNSNames,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, short, authority.Leaf, key.Public(), authority.PrivateKey)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	pemOf := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey] = pemOf("CERTIFICATE", der), pemOf("PRIVATE KEY", keyDER)
	_, err = stage.admin.CoreV1().Secrets(namespace).Update(t.Context(), secret, metav1.UpdateOptions{})
	require.NoError(t, err)
	eventually(t, 60*time.Second, func() bool {
		now := []byte(certificate(t))
		block, _ := pem.Decode(now)
		if block == nil || bytes.Equal(now, secret.Data[corev1.TLSCertKey]) {
			return false
		}
		renewed, err := x509.ParseCertificate(block.Bytes)
		return err == nil && time.Until(renewed.NotAfter) > 24*time.Hour
	}, "it is renewed before it expires")
}
