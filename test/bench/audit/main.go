// Command audit measures the audit on a real API server: how long it takes to look at a
// whole cluster, against a bare paged list of the same Pods in the same run, and how much
// memory the leader needs for it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/test/controlplane"
	"embargo.dev/test/installation"
)

// size is how large the cluster is.
type size struct{ pods, namespaces, restricted int }

func main() {
	var s size
	flag.IntVar(&s.pods, "pods", 10_000, "how many Pods there are, with a Deployment and a ReplicaSet for every ten")
	flag.IntVar(&s.namespaces, "namespaces", 200, "in how many namespaces")
	flag.IntVar(&s.restricted, "restricted", 500, "how many of them run a listed vendor's image")
	flag.Parse()
	logf.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, s)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "audit bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s size) (err error) {
	dir, err := os.MkdirTemp("", "embargo-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	root, err := installation.Root(ctx)
	if err != nil {
		return err
	}
	binary, err := installation.Build(ctx, root, dir)
	if err != nil {
		return err
	}
	plane, err := controlplane.Start(ctx, controlplane.Options{
		Progress:       os.Stderr,
		APIServerFlags: []string{"--max-requests-inflight=0", "--enable-priority-and-fairness=false"},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plane.Stop()) }()
	if err := installation.Prepare(ctx, plane, root); err != nil {
		return err
	}
	client, err := newClient(plane)
	if err != nil {
		return err
	}
	if err := populate(ctx, client, s); err != nil {
		return err
	}
	return measure(ctx, plane, client, binary, filepath.Join(dir, "embargo.log"), s)
}

// newClient returns a client that asks for what the audit asks for.
func newClient(plane *controlplane.ControlPlane) (*kubernetes.Clientset, error) {
	config := plane.Config()
	config.ContentType, config.AcceptContentTypes = runtime.ContentTypeProtobuf, runtime.ContentTypeProtobuf+","+runtime.ContentTypeJSON
	return kubernetes.NewForConfig(config)
}
