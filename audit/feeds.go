package audit

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"embargo.dev/audit/inventory"
	"embargo.dev/policies/v1alpha1"
)

const (
	// page is how many objects are listed at a time, and customPage of custom ones,
	// which come as JSON and may be large.
	page, customPage = 500, 100
	// queriesPerSecond and burst bound what the audit asks of the API server.
	queriesPerSecond, burst = 50, 100
)

// The built-in kinds that carry images, those that own others first.
var builtin = []*inventory.Kind{
	kind(appsv1.SchemeGroupVersion, "Deployment", "deployments"),
	kind(appsv1.SchemeGroupVersion, "StatefulSet", "statefulsets"),
	kind(appsv1.SchemeGroupVersion, "DaemonSet", "daemonsets"),
	kind(batchv1.SchemeGroupVersion, "CronJob", "cronjobs"),
	kind(batchv1.SchemeGroupVersion, "Job", "jobs"),
	kind(appsv1.SchemeGroupVersion, "ReplicaSet", "replicasets"),
	kind(appsv1.SchemeGroupVersion, "ControllerRevision", "controllerrevisions"),
	kind(corev1.SchemeGroupVersion, "ReplicationController", "replicationcontrollers"),
	kind(corev1.SchemeGroupVersion, "PodTemplate", "podtemplates"),
	kind(corev1.SchemeGroupVersion, "Pod", "pods"),
}

var (
	nodeKind   = kind(corev1.SchemeGroupVersion, "Node", "nodes")
	reportKind = kind(v1alpha1.GroupVersion, "VendorReport", "vendorreports")
)

func kind(version schema.GroupVersion, name, resource string) *inventory.Kind {
	return &inventory.Kind{GroupVersionKind: version.WithKind(name), Resource: resource}
}

// sources are where kinds are listed and watched.
type sources struct {
	core, apps, batch, own rest.Interface
	custom                 dynamic.Interface
}

func newSources(config *rest.Config) (*sources, error) {
	config = rest.CopyConfig(config)
	config.QPS, config.Burst = queriesPerSecond, burst
	dynamicClient, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	own, err := ownClient(config)
	if err != nil {
		return nil, err
	}
	config = rest.CopyConfig(config)
	config.ContentType, config.AcceptContentTypes = runtime.ContentTypeProtobuf, runtime.ContentTypeProtobuf+","+runtime.ContentTypeJSON
	clientset, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return &sources{
		core: clientset.CoreV1().RESTClient(), apps: clientset.AppsV1().RESTClient(), batch: clientset.BatchV1().RESTClient(),
		own: own, custom: dynamicClient,
	}, nil
}

// ownClient returns a client for Embargo's own kinds.
func ownClient(config *rest.Config) (rest.Interface, error) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	config = rest.CopyConfig(config)
	config.GroupVersion, config.APIPath = &v1alpha1.GroupVersion, "/apis"
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	return rest.RESTClientFor(config)
}

// of returns where a kind is listed and watched, in a namespace or in all.
func (s *sources) of(k *inventory.Kind, namespace string) (cache.ListerWatcherWithContext, int64) {
	clients := map[schema.GroupVersion]rest.Interface{
		corev1.SchemeGroupVersion: s.core, appsv1.SchemeGroupVersion: s.apps, batchv1.SchemeGroupVersion: s.batch, v1alpha1.GroupVersion: s.own,
	}
	if client, ok := clients[k.GroupVersion()]; ok {
		return cache.NewListWatchFromClient(client, k.Resource, namespace, fields.Everything()), page
	}
	resource := s.custom.Resource(k.GroupVersion().WithResource(k.Resource)).Namespace(namespace)
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			list, err := resource.List(ctx, o)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", k, err)
			}
			return list, nil
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			return resource.Watch(ctx, o)
		},
	}, customPage
}
