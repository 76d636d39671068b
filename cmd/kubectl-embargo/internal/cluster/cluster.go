// Package cluster reads what commands need from a cluster, through kubeconfig flags.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/policies/v1alpha1"
)

// ErrUnread marks what of a cluster can't be reached or may not be read.
var ErrUnread = errors.New("can't be read")

// Cluster is a cluster that a kubeconfig names.
type Cluster struct {
	// Name is how the kubeconfig's context, or else the server, is called.
	Name string
	// Namespace is where objects go that don't say.
	Namespace string
	// Reader reads live.
	Reader client.Reader

	// Config is how it is reached.
	Config *rest.Config

	mapper meta.RESTMapper

	// silence is the first request without an answer. All errors after it have the same
	// words, so that they are printed once.
	silence atomic.Pointer[silence]
}

// requestTimeout bounds a request where the flags don't.
const requestTimeout = 30 * time.Second

// NewFlags returns the kubeconfig flags of kubectl, but for those that no reading
// command needs.
func NewFlags() *genericclioptions.ConfigFlags {
	flags := genericclioptions.NewConfigFlags(true)
	flags.CacheDir, flags.DisableCompression = nil, nil
	return flags
}

// Connect prepares to read the cluster that the flags name. It asks the cluster
// nothing yet.
func Connect(flags *genericclioptions.ConfigFlags) (*Cluster, error) {
	if !Configured(flags) {
		return nil, fmt.Errorf("no kubeconfig names a cluster: it %w", ErrUnread)
	}
	loader := flags.ToRawKubeConfigLoader()
	config, err := flags.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("the kubeconfig: %w: %w", ErrUnread, err)
	}
	if config.Timeout == 0 {
		config.Timeout = requestTimeout
	}
	config.QPS, config.Burst = 100, 200
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("the cluster: %w: %w", ErrUnread, err)
	}
	connected := &Cluster{Name: config.Host, Config: config, Reader: &memory{live: c}, mapper: c.RESTMapper()}
	if raw, err := loader.RawConfig(); err == nil && raw.CurrentContext != "" {
		connected.Name = raw.CurrentContext
	}
	if *flags.Context != "" {
		connected.Name = *flags.Context
	}
	connected.Namespace, _, err = loader.Namespace()
	return connected, err
}

// Configured reports whether the flags, a kubeconfig or the surroundings of a Pod name
// a cluster.
func Configured(flags *genericclioptions.ConfigFlags) bool {
	raw, err := flags.ToRawKubeConfigLoader().RawConfig()
	return err != nil || !clientcmdapi.IsConfigEmpty(&raw) || *flags.APIServer != "" || os.Getenv("KUBERNETES_SERVICE_HOST") != ""
}

// Quiet returns a context in which nothing is logged: a command says itself what is
// wrong.
func Quiet(ctx context.Context) context.Context { return logf.IntoContext(ctx, logr.Discard()) }

// Namespaced reports whether the kind's objects lie in namespaces; false, too, for the
// second value, where the cluster doesn't serve the kind.
func (c *Cluster) Namespaced(kind schema.GroupVersionKind) (namespaced, served bool, err error) {
	mapping, err := c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	switch {
	case meta.IsNoMatchError(err):
		return true, false, nil
	case err != nil:
		return true, false, c.Unread("kinds", err)
	default:
		return mapping.Scope.Name() == meta.RESTScopeNameNamespace, true, nil
	}
}

// Unread says what of the cluster can't be read, or that the cluster gives no answer.
func (c *Cluster) Unread(what string, err error) error {
	if first := c.silence.Load(); first != nil && !answered(err) {
		return first
	}
	if cause, silent := unanswered(err); silent {
		c.silence.CompareAndSwap(nil, &silence{c.Name, cause})
		return c.silence.Load()
	}
	return fmt.Errorf("cluster %s: %s: %w: %w", c.Name, what, ErrUnread, err)
}
