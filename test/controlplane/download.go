package controlplane

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path"
	"runtime"
	"strings"
	"time"
)

const (
	kubernetesDownloads = "https://dl.k8s.io/release"
	etcdDownloads       = "https://github.com/etcd-io/etcd/releases/download"
)

// errOutOfReach says that the download site doesn't answer at once.
var errOutOfReach = errors.New("the download site is out of reach")

// downloader gets official release binaries.
type downloader struct {
	kubernetes, etcd string // URLs of the release, and of all releases

	unreachable bool // don't ask again
}

// fetch downloads a program and checks it against its published checksum.
func (d *downloader) fetch(ctx context.Context, name, target string) error {
	if d.unreachable || runtime.GOOS != "linux" {
		return errOutOfReach // Kubernetes publishes servers for Linux only
	}
	content, err := d.get(ctx, name)
	if err != nil {
		var netErr net.Error
		d.unreachable = errors.As(err, &netErr)
		if d.unreachable {
			return fmt.Errorf("%w: %w", errOutOfReach, err)
		}
		return err
	}
	if err := os.WriteFile(target+".partial", content, 0o755); err != nil { // a program
		return err
	}
	return os.Rename(target+".partial", target)
}

func (d *downloader) get(ctx context.Context, name string) ([]byte, error) {
	if name == etcd {
		return d.getEtcd(ctx)
	}
	url := fmt.Sprintf("%s/bin/%s/%s/%s", d.kubernetes, runtime.GOOS, runtime.GOARCH, name)
	sum, err := get(ctx, url+".sha256")
	if err != nil {
		return nil, err
	}
	content, err := get(ctx, url)
	if err != nil {
		return nil, err
	}
	return content, verify(content, strings.TrimSpace(string(sum)))
}

func (d *downloader) getEtcd(ctx context.Context) ([]byte, error) {
	file := fmt.Sprintf("etcd-%s-%s-%s.tar.gz", EtcdVersion, runtime.GOOS, runtime.GOARCH)
	sums, err := get(ctx, fmt.Sprintf("%s/%s/SHA256SUMS", d.etcd, EtcdVersion))
	if err != nil {
		return nil, err
	}
	archive, err := get(ctx, fmt.Sprintf("%s/%s/%s", d.etcd, EtcdVersion, file))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(sums)) {
		if sum, of, ok := strings.Cut(strings.TrimSpace(line), "  "); ok && of == file {
			if err := verify(archive, sum); err != nil {
				return nil, err
			}
			return fromArchive(archive, etcd)
		}
	}
	return nil, fmt.Errorf("no checksum is published for %s", file)
}

func verify(content []byte, want string) error {
	sum := sha256.Sum256(content)
	if got := hex.EncodeToString(sum[:]); got != want {
		return fmt.Errorf("the checksum is %s, published is %s", got, want)
	}
	return nil
}

func fromArchive(archive []byte, name string) ([]byte, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, err
	}
	files := tar.NewReader(unzipped)
	for {
		header, err := files.Next()
		if err != nil {
			return nil, fmt.Errorf("looking for %s in the archive: %w", name, err)
		}
		if path.Base(header.Name) == name && header.Typeflag == tar.TypeReg {
			return io.ReadAll(files)
		}
	}
}

// client gives up quickly on a site that doesn't answer, and slowly on a download.
var client = &http.Client{
	Timeout: 10 * time.Minute,
	Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 3 * time.Second}).DialContext,
		TLSHandshakeTimeout:   3 * time.Second,
		ResponseHeaderTimeout: 10 * time.Second,
	},
}

func get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // read only
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, response.Status)
	}
	return io.ReadAll(response.Body)
}
