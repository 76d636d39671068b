package discovery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/internal/trigger"
)

const (
	// resync is how often aggregated APIs are looked at again: their schemas change
	// without any object of the cluster.
	resync = 10 * time.Minute
	// After something couldn't be read the pause grows from one to the other: schemas
	// are served a moment after their resources, and a server that is down stays so.
	firstRetry, lastRetry = time.Second, time.Minute
	// Requests a second, and at once, so that a cluster with hundreds of custom
	// resources is known within seconds.
	queriesPerSecond, burst = 50, 100
	// perRequest bounds a single request.
	perRequest = 20 * time.Second
)

// automanaged labels the APIServices that the API server itself keeps for what it serves.
const automanaged = "kube-aggregator.kubernetes.io/automanaged"

// The kinds that tell what a cluster serves beside its own.
var (
	customKind     = schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"}
	aggregatedKind = schema.GroupVersionKind{Group: "apiregistration.k8s.io", Version: "v1", Kind: "APIService"}
)

// Discovery knows which resources may embed pod templates. It runs on every replica,
// since each has to know which owners admission sees.
type Discovery struct {
	client rest.Interface
	cache  cache.Cache

	found   atomic.Pointer[[]Resource]
	changed trigger.Broadcast
	known   map[key]inspected // only the loop touches it
}

// key is an object that tells of resources.
type key struct {
	kind schema.GroupVersionKind
	name string
}

// inspected is what such an object told, and in which state.
type inspected struct {
	uid        types.UID
	generation int64
	resources  []Resource
}

// New returns a Discovery that reads schemas one at a time with a client of its own.
func New(config *rest.Config, watches cache.Cache) (*Discovery, error) {
	config = rest.CopyConfig(config)
	config.QPS, config.Burst = queriesPerSecond, burst
	clientset, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return &Discovery{client: clientset.Discovery().RESTClient(), cache: watches, known: map[key]inspected{}}, nil
}

// NeedLeaderElection says that every replica looks for itself.
func (d *Discovery) NeedLeaderElection() bool { return false }

// Resources returns what was found, sorted by group and name; false before the first
// look is done.
func (d *Discovery) Resources() ([]Resource, bool) {
	if found := d.found.Load(); found != nil {
		return *found, true
	}
	return nil, false
}

// Covers reports whether objects of the kind were found to embed pod templates.
func (d *Discovery) Covers(kind schema.GroupKind) bool {
	found, _ := d.Resources()
	return slices.ContainsFunc(found, func(r Resource) bool { return r.Group == kind.Group && r.Kind == kind.Kind })
}

// Follow returns a channel that receives after Resources changed.
func (d *Discovery) Follow() <-chan struct{} { return d.changed.Follow() }

// Start looks at what the cluster serves, and again after every change, until the
// context ends.
func (d *Discovery) Start(ctx context.Context) error {
	wake := trigger.New()
	for _, kind := range []schema.GroupVersionKind{customKind, aggregatedKind} {
		if err := d.watch(ctx, kind, wake); err != nil {
			return err
		}
	}
	if !d.cache.WaitForCacheSync(ctx) {
		return ctx.Err()
	}
	refreshed, retry := time.Now(), firstRetry
	for {
		again := time.Since(refreshed) >= resync
		if again {
			refreshed = time.Now()
		}
		pause := resync
		if err := d.look(ctx, again); err != nil && ctx.Err() == nil {
			logf.FromContext(ctx).Info("not all schemas could be read; trying again", "in", retry, "error", err.Error())
			pause, retry = retry, min(2*retry, lastRetry)
		} else {
			retry = firstRetry
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-time.After(pause):
		}
	}
}

func (d *Discovery) watch(ctx context.Context, kind schema.GroupVersionKind, wake trigger.Trigger) error {
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(kind)
	informer, err := d.cache.GetInformer(ctx, object)
	if err != nil {
		return fmt.Errorf("watching %s: %w", kind.Kind, err)
	}
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { wake.Fire() },
		UpdateFunc: func(before, after any) {
			old, ok := before.(client.Object)
			if now, ok2 := after.(client.Object); ok && ok2 && old.GetUID() == now.GetUID() && old.GetGeneration() == now.GetGeneration() && kind == customKind {
				return // only its status changed
			}
			wake.Fire()
		},
		DeleteFunc: func(any) { wake.Fire() },
	})
	return err
}

// look brings what is known up to date and tells whoever follows when that changed.
// Aggregated APIs are read again where asked for.
func (d *Discovery) look(ctx context.Context, again bool) error {
	failed := map[key]error{}
	present := map[key]bool{}
	for _, kind := range []schema.GroupVersionKind{customKind, aggregatedKind} {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(kind)
		if err := d.cache.List(ctx, list); err != nil {
			return fmt.Errorf("listing %s from the cache: %w", kind.Kind, err)
		}
		for i := range list.Items {
			if list.Items[i].Labels[automanaged] != "" {
				continue
			}
			at := key{kind, list.Items[i].Name}
			present[at] = true
			if err := d.inspect(ctx, at, &list.Items[i], again && kind == aggregatedKind); err != nil {
				failed[at] = err
			}
		}
	}
	maps.DeleteFunc(d.known, func(at key, _ inspected) bool { return !present[at] })
	unread.Set(float64(len(failed)))
	d.publish(ctx)
	return errors.Join(slices.Collect(maps.Values(failed))...)
}

// inspect reads what an object tells, unless it is known. What can't be read leaves
// what was known in place.
func (d *Discovery) inspect(ctx context.Context, at key, object client.Object, again bool) error {
	before, known := d.known[at]
	if known && !again && before.uid == object.GetUID() && before.generation == object.GetGeneration() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, perRequest)
	defer cancel()
	read := d.custom
	if at.kind == aggregatedKind {
		read = d.aggregated
	}
	resources, err := read(ctx, at.name)
	switch {
	case apierrors.IsNotFound(err) && at.kind == customKind:
		return nil // deleted meanwhile, which the watch will tell
	case err != nil:
		return err
	}
	d.known[at] = inspected{uid: object.GetUID(), generation: object.GetGeneration(), resources: resources}
	return nil
}

// publish swaps in what is known.
func (d *Discovery) publish(ctx context.Context) {
	var all []Resource
	for _, one := range d.known {
		all = append(all, one.resources...)
	}
	all = merged(all)
	if before := d.found.Load(); before != nil && slices.EqualFunc(*before, all, Resource.equal) {
		return
	}
	d.found.Store(&all)
	resources.Set(float64(len(all)))
	logf.FromContext(ctx).Info("resources with pod templates", "count", len(all))
	d.changed.Fire()
}

// merged sorts resources and joins the versions of those that are told of more than
// once: an aggregated API has an object a version.
func merged(all []Resource) []Resource {
	slices.SortFunc(all, Resource.compare)
	var kept []Resource
	for _, r := range all {
		if last := len(kept) - 1; last >= 0 && kept[last].compare(r) == 0 {
			kept[last].Versions = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(kept[last].Versions), r.Versions...))))
			continue
		}
		kept = append(kept, r)
	}
	return kept
}
