package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"embargo.dev/test/program"
)

// The versions that are downloaded or built if no other is named; test/tools has the
// modules of the same versions.
const (
	KubernetesVersion = "v1.37.2"
	EtcdVersion       = "v3.7.0"
)

// The programs of a control plane, and the client.
const (
	etcd              = "etcd"
	apiServer         = "kube-apiserver"
	controllerManager = "kube-controller-manager"
	scheduler         = "kube-scheduler"
	kubectl           = "kubectl"
)

var programs = []string{etcd, apiServer, controllerManager, scheduler, kubectl}

// Binaries are the paths of the programs, by name.
type Binaries map[string]string

// Locate returns the programs: those in the folder KUBEBUILDER_ASSETS; those that
// were fetched before, in the ignored folder .cache; else downloaded where the
// download site answers at once; else built, which takes about ten minutes the
// first time. Progress is written for somebody who waits. Further programs of the same
// release, such as kubelet, are named where they are needed too.
func Locate(ctx context.Context, progress io.Writer, further ...string) (Binaries, error) {
	root, err := program.Root()
	if err != nil {
		return nil, err
	}
	release := Release()
	l := locator{
		want:       slices.Concat(programs, further),
		kubernetes: release,
		assets:     os.Getenv("KUBEBUILDER_ASSETS"),
		root:       root,
		cache:      filepath.Join(root, ".cache", fmt.Sprintf("kubernetes-%s-etcd-%s-%s-%s", release, EtcdVersion, runtime.GOOS, runtime.GOARCH)),
		download:   downloader{kubernetes: kubernetesDownloads + "/" + release, etcd: etcdDownloads},
		progress:   progress,
	}
	return l.locate(ctx)
}

type locator struct {
	want       []string
	kubernetes string // release
	assets     string
	root       string
	cache      string
	download   downloader
	progress   io.Writer
}

func (l *locator) locate(ctx context.Context) (Binaries, error) {
	found := Binaries{}
	if l.assets != "" {
		found.take(l.assets, l.want)
	}
	found.take(l.cache, l.want)
	if len(found.missing(l.want)) == 0 {
		return found, nil
	}
	if err := os.MkdirAll(l.cache, 0o755); err != nil {
		return nil, err
	}
	unlock, err := program.Lock(filepath.Join(l.cache, "lock"))
	if err != nil {
		return nil, err
	}
	defer unlock()
	found.take(l.cache, l.want) // another process may have fetched them meanwhile
	for _, name := range found.missing(l.want) {
		if err := l.fetch(ctx, name); err != nil {
			return nil, fmt.Errorf("getting %s: %w", name, err)
		}
	}
	found.take(l.cache, l.want)
	if missing := found.missing(l.want); len(missing) > 0 {
		return nil, fmt.Errorf("still missing after fetching: %v", missing)
	}
	return found, nil
}

// fetch puts a program into the cache, by download or else by building it.
func (l *locator) fetch(ctx context.Context, name string) error {
	target := filepath.Join(l.cache, name)
	err := l.download.fetch(ctx, name, target)
	if err == nil {
		fmt.Fprintf(l.progress, "downloaded %s\n", name)
		return nil
	}
	if !errors.Is(err, errOutOfReach) {
		fmt.Fprintf(l.progress, "%s can't be downloaded (%v); building it\n", name, err)
	}
	return l.build(ctx, name, target)
}

// take adds the programs that are wanted, in a folder, and not yet known.
func (b Binaries) take(dir string, want []string) {
	for _, name := range b.missing(want) {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			b[name] = path
		}
	}
}

func (b Binaries) missing(want []string) []string {
	return slices.DeleteFunc(slices.Clone(want), func(name string) bool { return b[name] != "" })
}
