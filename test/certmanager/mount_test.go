//go:build certmanager

package certmanager_test

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
)

// mount is a folder with a Secret's files, as kubelet mounts it: names that lead by way of
// one link to the files, so that all change at once.
type mount string

func newMount(t *testing.T, secret *corev1.Secret) mount {
	t.Helper()
	m := mount(t.TempDir())
	for name := range secret.Data {
		require.NoError(t, os.Symlink(filepath.Join("..data", name), filepath.Join(string(m), name)))
	}
	m.update(t, secret)
	return m
}

// update shows the Secret as it is now.
func (m mount) update(t *testing.T, secret *corev1.Secret) {
	t.Helper()
	version, err := os.MkdirTemp(string(m), "..version-")
	require.NoError(t, err)
	for name, content := range secret.Data {
		require.NoError(t, os.WriteFile(filepath.Join(version, name), content, 0o600))
	}
	link := filepath.Join(string(m), "..data_tmp")
	require.NoError(t, os.Symlink(filepath.Base(version), link))
	require.NoError(t, os.Rename(link, filepath.Join(string(m), "..data")))
}

// certificate returns the first certificate of a Secret's file.
func certificate(t *testing.T, secret *corev1.Secret, file string) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(secret.Data[file])
	require.NotNil(t, block, "%s of %s", file, secret.Name)
	c, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	return c
}

// trusts reports whether a bundle is enough to verify a Secret's certificate.
func trusts(t *testing.T, bundle []byte, secret *corev1.Secret) bool {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(bundle)
	_, err := certificate(t, secret, corev1.TLSCertKey).Verify(x509.VerifyOptions{Roots: roots, DNSName: "embargo-webhook.embargo-system.svc"})
	return err == nil
}
