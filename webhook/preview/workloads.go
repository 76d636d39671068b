package preview

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"embargo.dev/policies"
	"embargo.dev/policies/workload"
)

// page is how many objects are listed at a time.
const page = 500

// Workload is a workload that the audit knows. Nothing controls it.
type Workload struct {
	Kind   schema.GroupKind
	Object workload.Object
}

// looked is a workload that was looked at.
type looked struct {
	kind      schema.GroupKind
	namespace policies.Namespace
	object    workload.Object
}

// kindList is a kind with an empty list of it.
type kindList struct {
	kind schema.GroupKind
	list client.ObjectList
}

// lists are the kinds that are looked at, those that run most first.
func lists() []kindList {
	return []kindList{
		{schema.GroupKind{Group: "apps", Kind: "Deployment"}, &appsv1.DeploymentList{}},
		{schema.GroupKind{Group: "apps", Kind: "StatefulSet"}, &appsv1.StatefulSetList{}},
		{schema.GroupKind{Group: "apps", Kind: "DaemonSet"}, &appsv1.DaemonSetList{}},
		{schema.GroupKind{Group: "batch", Kind: "CronJob"}, &batchv1.CronJobList{}},
		{schema.GroupKind{Group: "batch", Kind: "Job"}, &batchv1.JobList{}},
		{schema.GroupKind{Group: "apps", Kind: "ReplicaSet"}, &appsv1.ReplicaSetList{}},
		{schema.GroupKind{Kind: "ReplicationController"}, &corev1.ReplicationControllerList{}},
		{schema.GroupKind{Kind: "Pod"}, &corev1.PodList{}},
	}
}

// maxAudited is how many workloads are looked at where none has to be listed.
const maxAudited = 20_000

// workloads returns the workloads of the cluster, from the audit where that runs here,
// else listed, up to the limit and until the context ends; false where there are, or may
// be, more.
func (p *Previewer) workloads(ctx context.Context) (found []looked, all bool, err error) {
	namespaces, err := p.namespaces(ctx)
	if err != nil {
		return nil, false, err
	}
	if p.Audited != nil {
		if known, all, ok := p.Audited(maxAudited); ok {
			for _, w := range known {
				found = append(found, looked{w.Kind, namespaceOf(w.Object.Namespace, namespaces), w.Object})
			}
			return found, all, nil
		}
	}
	objects := 0
	for _, k := range lists() {
		for more := true; more; more = k.list.GetContinue() != "" {
			if objects >= p.Limit {
				return found, false, nil
			}
			some, err := p.page(ctx, k, namespaces)
			if ctx.Err() != nil { // what was looked at until then counts
				return found, false, nil //nolint:nilerr // out of time is no failure
			}
			if err != nil {
				return nil, false, err
			}
			found, objects = append(found, some...), objects+meta.LenList(k.list)
		}
	}
	return found, true, nil
}

// page reads the next page of a list, and the workloads in it.
func (p *Previewer) page(ctx context.Context, k kindList, namespaces map[string]policies.Namespace) ([]looked, error) {
	if err := p.Live.List(ctx, k.list, client.Limit(page), client.Continue(k.list.GetContinue())); err != nil {
		return nil, fmt.Errorf("listing %ss: %w", k.kind.Kind, err)
	}
	var found []looked
	err := meta.EachListItem(k.list, func(o runtime.Object) error {
		l, top, err := read(k.kind, o, namespaces)
		if top && err == nil {
			found = append(found, l)
		}
		return err
	})
	return found, err
}

// read reads the images of an object; false where it is only part of another workload,
// which controls it.
func read(kind schema.GroupKind, o runtime.Object, namespaces map[string]policies.Namespace) (looked, bool, error) {
	if m, ok := o.(metav1.Object); ok && metav1.GetControllerOf(m) != nil {
		return looked{}, false, nil
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return looked{}, false, fmt.Errorf("reading a %s: %w", kind.Kind, err)
	}
	object := workload.FromMap(kind, fields)
	return looked{kind, namespaceOf(object.Namespace, namespaces), object}, true, nil
}

// namespaceOf is what is known of a namespace.
func namespaceOf(name string, namespaces map[string]policies.Namespace) policies.Namespace {
	if ns, known := namespaces[name]; known {
		return ns
	}
	return policies.Namespace{Name: name}
}

// namespaces returns the namespaces in the cache with their labels.
func (p *Previewer) namespaces(ctx context.Context) (map[string]policies.Namespace, error) {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("NamespaceList"))
	if err := p.Cache.List(ctx, list); err != nil {
		return nil, fmt.Errorf("listing namespaces from the cache: %w", err)
	}
	byName := make(map[string]policies.Namespace, len(list.Items))
	for i := range list.Items {
		ns := &list.Items[i]
		byName[ns.Name] = policies.Namespace{Name: ns.Name, Labels: ns.Labels, Known: true}
	}
	return byName, nil
}
