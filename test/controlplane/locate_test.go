package controlplane

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// site serves programs as the download sites do, and spoils the checksum of one.
func site(t *testing.T, spoilt string) *httptest.Server {
	t.Helper()
	archive := tarball(t, "etcd-v3/etcd", "the program etcd")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, isSum := strings.CutSuffix(filepath.Base(r.URL.Path), ".sha256")
		switch {
		case name == "SHA256SUMS":
			fmt.Fprintf(w, "%s  etcd-%s-%s-%s.tar.gz\n", sum(archive), EtcdVersion, runtime.GOOS, runtime.GOARCH)
		case strings.HasSuffix(name, ".tar.gz"):
			_, _ = w.Write(archive)
		case isSum && name == spoilt:
			fmt.Fprint(w, sum([]byte("something else")))
		case isSum:
			fmt.Fprint(w, sum([]byte("the program "+name)))
		default:
			fmt.Fprint(w, "the program "+name)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

func sum(content []byte) string {
	s := sha256.Sum256(content)
	return hex.EncodeToString(s[:])
}

func tarball(t *testing.T, name, content string) []byte {
	t.Helper()
	var buffer bytes.Buffer
	zipped := gzip.NewWriter(&buffer)
	files := tar.NewWriter(zipped)
	require.NoError(t, files.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg}))
	_, err := files.Write([]byte(content))
	require.NoError(t, err)
	require.NoError(t, files.Close())
	require.NoError(t, zipped.Close())
	return buffer.Bytes()
}

func newLocator(t *testing.T, url string) *locator {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("servers are published for Linux only")
	}
	return &locator{want: programs, kubernetes: KubernetesVersion, cache: filepath.Join(t.TempDir(), "cache"), download: downloader{kubernetes: url, etcd: url}, progress: t.Output()}
}

func TestProgramsAreDownloadedAndChecked(t *testing.T) {
	l := newLocator(t, site(t, "").URL)
	found, err := l.locate(t.Context())
	require.NoError(t, err)
	for _, name := range programs {
		content, err := os.ReadFile(found[name])
		require.NoError(t, err)
		assert.Equal(t, "the program "+name, string(content))
	}
}

func TestADownloadWithAWrongChecksumIsNotUsed(t *testing.T) {
	l := newLocator(t, site(t, kubectl).URL)
	require.NoError(t, os.MkdirAll(l.cache, 0o755))
	err := l.download.fetch(t.Context(), kubectl, filepath.Join(l.cache, kubectl))
	require.ErrorContains(t, err, "the checksum is")
	assert.NoFileExists(t, filepath.Join(l.cache, kubectl))
}

func TestASiteOutOfReachIsAskedOnce(t *testing.T) {
	l := newLocator(t, "http://127.0.0.1:1")
	for range 2 {
		require.ErrorIs(t, l.download.fetch(t.Context(), kubectl, filepath.Join(t.TempDir(), kubectl)), errOutOfReach)
	}
	assert.True(t, l.download.unreachable)
}

func TestAssetsGoFirst(t *testing.T) {
	l := newLocator(t, site(t, "").URL)
	l.assets = t.TempDir()
	own := filepath.Join(l.assets, apiServer)
	require.NoError(t, os.WriteFile(own, []byte("my own"), 0o755))
	found, err := l.locate(t.Context())
	require.NoError(t, err)
	assert.Equal(t, own, found[apiServer])
	assert.NotEqual(t, l.assets, filepath.Dir(found[kubectl]), "what the assets lack is fetched")
}

// TestVersionsAreThoseOfTheModules keeps the constants and the modules together.
func TestVersionsAreThoseOfTheModules(t *testing.T) {
	for module, want := range map[string]string{"kubernetes": "k8s.io/kubernetes " + KubernetesVersion, "etcd": "go.etcd.io/etcd/server/v3 " + EtcdVersion} {
		content, err := os.ReadFile(filepath.Join("..", "tools", module, "go.mod"))
		require.NoError(t, err)
		assert.Contains(t, string(content), want)
	}
}
