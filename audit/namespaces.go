package audit

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"embargo.dev/policies"
)

// namespace returns how namespaces are looked up: in the cache, where all are.
func (a *Auditor) namespace(ctx context.Context) func(string) policies.Namespace {
	return func(name string) policies.Namespace {
		if name == "" {
			return policies.Namespace{}
		}
		ns, err := a.metadata(ctx, name)
		if err != nil {
			return policies.Namespace{Name: name} // as admission does, every policy is taken to select it
		}
		return policies.Namespace{Name: name, Labels: ns.Labels, Known: true}
	}
}

// metadata reads a namespace's from the cache.
func (a *Auditor) metadata(ctx context.Context, name string) (*metav1.PartialObjectMetadata, error) {
	ns := &metav1.PartialObjectMetadata{}
	ns.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	return ns, a.options.Namespaces.Get(ctx, client.ObjectKey{Name: name}, ns)
}

// watchNamespaces has a namespace looked at when its labels change, and forgotten when
// it goes.
func (a *Auditor) watchNamespaces(ctx context.Context) error {
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	informer, err := a.options.Namespaces.GetInformer(ctx, object)
	if err != nil {
		return fmt.Errorf("watching namespaces: %w", err)
	}
	mark := func(o any) { a.mark(nameOf(o)) }
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    mark,
		UpdateFunc: func(_, o any) { mark(o) },
		DeleteFunc: func(o any) { a.forget(nameOf(o)) },
	})
	return err
}

func nameOf(o any) string {
	key, err := toolscache.DeletionHandlingMetaNamespaceKeyFunc(o)
	if err != nil {
		return ""
	}
	return key
}

func (a *Auditor) mark(name string) {
	a.mu.Lock()
	a.inventory.Mark(name)
	dirty := a.inventory.HasDirty()
	a.mu.Unlock()
	if dirty {
		a.fire()
	}
}

// lookSoon has a namespace looked at, whether or not anything is in it.
func (a *Auditor) lookSoon(name string) {
	a.mu.Lock()
	a.marked[name] = true
	a.mu.Unlock()
	a.fire()
}

// namespaceUID returns the UID of a namespace; "" where the cache lacks it.
func (a *Auditor) namespaceUID(name string) types.UID {
	ns, err := a.metadata(context.Background(), name)
	if err != nil {
		return ""
	}
	return ns.UID
}

// outdated reports whether an event is about a vendor that is gone, or belongs into a namespace
// that is gone or is being deleted: it would be refused.
func (a *Auditor) outdated(e told) bool {
	if e.about.vendor != "" && a.options.Vendor(e.about.vendor) == "" {
		return true
	}
	if e.regarding.Namespace == "" {
		return false
	}
	ns, err := a.metadata(context.Background(), e.regarding.Namespace)
	return apierrors.IsNotFound(err) || err == nil && ns.DeletionTimestamp != nil
}

func (a *Auditor) forget(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drop(name)
	a.sum()
}

func (a *Auditor) drop(name string) {
	delete(a.results, name)
	for _, s := range a.sinks {
		s.Forget(name)
	}
}
