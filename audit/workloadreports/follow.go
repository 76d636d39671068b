package workloadreports

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/internal/logging"
)

const (
	// firstLook is how long after a sign of change the API server is asked again, since
	// it serves a kind only a moment after it was told of it. The pause doubles up to
	// lastLook, which is also how often reports are listed to be mended.
	firstLook, lastLook = time.Second, 10 * time.Minute
	// requestTimeout bounds a single request.
	requestTimeout = 15 * time.Second
	// page is how many reports are listed at a time.
	page = 500
)

// kinds tell what a cluster serves beside its own. The cache has their metadata anyway.
var kinds = []schema.GroupVersionKind{
	{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"},
	{Group: "apiregistration.k8s.io", Version: "v1", Kind: "APIService"},
}

// Watch has Follow look at once when kinds of reports come or go.
func (w *Writer) Watch(ctx context.Context, from cache.Cache) error {
	see := func(o any) {
		if name, err := toolscache.DeletionHandlingMetaNamespaceKeyFunc(o); err == nil && concerns(name) {
			select {
			case w.wake <- struct{}{}:
			default:
			}
		}
	}
	for _, kind := range kinds {
		object := &metav1.PartialObjectMetadata{}
		object.SetGroupVersionKind(kind)
		informer, err := from.GetInformer(ctx, object)
		if err != nil {
			return fmt.Errorf("watching %s: %w", kind.Kind, err)
		}
		handler := toolscache.ResourceEventHandlerFuncs{AddFunc: see, UpdateFunc: func(_, o any) { see(o) }, DeleteFunc: see}
		if _, err := informer.AddEventHandler(handler); err != nil {
			return fmt.Errorf("watching %s: %w", kind.Kind, err)
		}
	}
	return nil
}

// Follow finds out what the cluster serves, and switches when that changes, until the
// context ends.
func (w *Writer) Follow(ctx context.Context) {
	again, pause := true, firstLook
	for ctx.Err() == nil {
		if err := w.look(ctx, again); err != nil && ctx.Err() == nil {
			logf.FromContext(ctx).Info("reports on workloads can't be kept in order; trying again", "in", pause, "error", err.Error())
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-w.wake:
			again, pause = true, firstLook
		case <-timer.C:
			again, pause = false, min(2*pause, lastLook)
		}
		timer.Stop()
	}
}

// look switches to the API that is to be written, and puts reports in order: after a
// switch, when asked to, and when that was long ago or failed.
func (w *Writer) look(ctx context.Context, again bool) error {
	var served []*api
	for _, a := range apis {
		is, err := w.serves(ctx, a)
		if err != nil {
			return err
		}
		if is {
			served = append(served, a)
		}
	}
	chosen := choose(w.setting, served)
	w.tell(ctx, chosen)
	if w.current() != chosen {
		w.stop()
	} else if !again && time.Since(w.tidied) < lastLook {
		return nil
	}
	w.tidied = time.Time{}
	if err := w.tidy(ctx, chosen, served); err != nil {
		return err
	}
	w.tidied = time.Now()
	return nil
}

// tell says what changes.
func (w *Writer) tell(ctx context.Context, chosen *api) {
	switch {
	case chosen != w.current():
		logf.FromContext(ctx).Info("reports on workloads", "api", chosen.String())
	case chosen == nil && w.setting != Auto && w.setting != None && !w.missed:
		logging.Warn(ctx, "no reports on workloads are written, since the cluster doesn't serve the kind that is set", "reportAPI", w.setting)
	}
	w.missed = chosen == nil
}

func (w *Writer) current() *api {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.api
}

// stop has nothing written any more, and forgets everything.
func (w *Writer) stop() {
	w.switching.Lock()
	defer w.switching.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.api, w.places = nil, map[string]*place{}
}

// tidy takes what is there of the chosen API, and deletes reports in others.
func (w *Writer) tidy(ctx context.Context, chosen *api, served []*api) error {
	var errs []error
	for _, a := range served {
		if a == chosen {
			found, err := w.list(ctx, a)
			if err == nil {
				w.take(a, found)
			}
			errs = append(errs, err)
			continue
		}
		errs = append(errs, w.clearOther(ctx, a))
	}
	return errors.Join(errs...)
}

// clearOther deletes own reports of an API that isn't chosen, where the controller may. An
// installation may grant the rights to the chosen API only; reports that were written before
// then stay until their workloads go.
func (w *Writer) clearOther(ctx context.Context, a *api) error {
	err := w.clear(ctx, a)
	if !apierrors.IsForbidden(err) {
		return err
	}
	if !w.forbidden[a] {
		w.forbidden[a] = true
		logf.FromContext(ctx).Info("reports of an API that isn't chosen can't be deleted, since the controller has no right to; those that it wrote before stay until their workloads go",
			"api", a.String(), "command", fmt.Sprintf("kubectl delete %s.%s -A -l %s=%s", a.Resource, a.Group, managedByLabel, source))
	}
	return nil
}

// list returns the reports that are there.
func (w *Writer) list(ctx context.Context, a *api) (map[types.NamespacedName]seen, error) {
	found := map[types.NamespacedName]seen{}
	err := w.each(ctx, a, func(o *unstructured.Unstructured) error {
		report, err := read(o)
		if err != nil {
			return err
		}
		one := seen{content: fingerprint(report)}
		if report.Scope != nil {
			one.workload = report.Scope.GroupVersionKind().GroupKind()
		}
		found[types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}] = one
		return nil
	})
	return found, err
}

// take takes what is there of reports, to have it mended where it is other than it
// should be.
func (w *Writer) take(a *api, found map[types.NamespacedName]seen) {
	w.mu.Lock()
	begins := w.api != a
	w.api = a
	for namespace, p := range w.places {
		for name := range p.seen {
			if _, there := found[types.NamespacedName{Namespace: namespace, Name: name}]; !there {
				delete(p.seen, name)
			}
		}
	}
	for key, one := range found {
		p := w.place(key.Namespace)
		p.seen[key.Name] = one
		w.compare(key.Namespace, key.Name, p)
	}
	for namespace, p := range w.places {
		for name := range p.want {
			w.compare(namespace, name, p)
		}
	}
	w.mu.Unlock()
	if begins {
		w.begun()
	}
}

// clear deletes all own reports of an API.
func (w *Writer) clear(ctx context.Context, a *api) error {
	return w.each(ctx, a, func(o *unstructured.Unstructured) error {
		return w.delete(ctx, a, types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()})
	})
}

// each calls a function with every own report of an API.
func (w *Writer) each(ctx context.Context, a *api, do func(*unstructured.Unstructured) error) error {
	options := metav1.ListOptions{LabelSelector: managedByLabel + "=" + source, Limit: page}
	for {
		list, err := w.listPage(ctx, a, options)
		if apierrors.IsNotFound(err) {
			return nil // no longer served
		}
		if err != nil {
			return fmt.Errorf("listing %s: %w", a, err)
		}
		for i := range list.Items {
			if !isOwn(list.Items[i].GetName()) {
				continue
			}
			if err := do(&list.Items[i]); err != nil {
				return err
			}
		}
		if options.Continue = list.GetContinue(); options.Continue == "" {
			return nil
		}
	}
}

func (w *Writer) listPage(ctx context.Context, a *api, options metav1.ListOptions) (*unstructured.UnstructuredList, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	return w.client.Resource(a.GroupVersionResource).List(ctx, options)
}
