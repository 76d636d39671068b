package app

import (
	"context"
	"errors"
	"fmt"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"embargo.dev/policies/v1alpha1"
	"embargo.dev/webhook/registration"
	"embargo.dev/webhook/server"
	"embargo.dev/webhook/skew"
)

func newScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	return scheme, errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme))
}

// queriesPerSecond and burst bound what is asked of the API server for each kind of
// object. The default of client-go, 5, would keep a list of 200 vendors waiting for most
// of a minute.
const queriesPerSecond, burst = 50, 100

func (c *controller) manager(context.Context) error {
	scheme, err := newScheme()
	if err != nil {
		return err
	}
	config, err := clientConfig(c.options.Kubeconfig)
	if err != nil {
		return fmt.Errorf("reaching the cluster: %w", err)
	}
	config.QPS, config.Burst = queriesPerSecond, burst
	config.Wrap(c.skew.Wrap)
	o := c.options
	serving, clientCA, err := c.webhookTLS()
	if err != nil {
		return err
	}
	lock, err := c.lock(config)
	if err != nil {
		return err
	}
	c.mgr, err = ctrl.NewManager(config, ctrl.Options{
		Scheme: scheme,
		WebhookServer: server.New(server.Options{
			Host: o.Webhook.Host, Port: o.Webhook.Port, TLS: serving, Limits: c.limits, Log: ctrl.Log.WithName("webhook"),
		}),
		Metrics:                             c.metricsOptions(),
		HealthProbeBindAddress:              o.Health.BindAddress,
		LeaderElection:                      !o.LeaderElection.Disabled,
		LeaderElectionResourceLockInterface: lock,
		LeaderElectionReleaseOnCancel:       true,
		Cache:                               cacheOptions(),
		Client:                              clientOptions(),
	})
	if err != nil {
		return err
	}
	if clientCA != nil {
		if err := c.mgr.Add(clientCA); err != nil {
			return err
		}
	}
	return c.mgr.Add(&skew.Teller{Meter: c.skew, Recorder: c.mgr.GetEventRecorder("embargo"), Namespace: o.Namespace, Forward: c.skewed})
}

func clientConfig(kubeconfig string) (*rest.Config, error) {
	if kubeconfig != "" {
		return clientcmd.BuildConfigFromFlags("", kubeconfig)
	}
	return rest.InClusterConfig()
}

// cacheOptions keep little: of namespaces and of what tells of schemas the metadata, and
// of that no annotations, in which whole objects may lie; of webhook configurations the
// one that is Embargo's.
func cacheOptions() cache.Options {
	return cache.Options{
		DefaultTransform: func(object any) (any, error) {
			if m, ok := object.(*metav1.PartialObjectMetadata); ok {
				m.Annotations = nil
			}
			return cache.TransformStripManagedFields()(object)
		},
		ByObject: map[client.Object]cache.ByObject{
			&admissionv1.ValidatingWebhookConfiguration{}: {Field: fields.OneTermEqualSelector(metav1.ObjectNameField, registration.Name)},
		},
	}
}

// clientOptions read through the cache what is watched anyway, and all else live, so
// that no watch is opened by the way.
func clientOptions() client.Options {
	return client.Options{Cache: &client.CacheOptions{
		DisableFor: []client.Object{&corev1.ConfigMap{}, &corev1.Secret{}},
	}}
}
