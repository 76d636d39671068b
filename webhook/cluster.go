package webhook

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/internal/logging"
	"embargo.dev/policies"
	"embargo.dev/policies/workload"
)

// namespaceIn returns what a reader knows of a namespace. The cache lacks one that was
// created an instant ago.
func namespaceIn(ctx context.Context, reader client.Reader, name string) policies.Namespace {
	if name == "" {
		return policies.Namespace{}
	}
	ns := &metav1.PartialObjectMetadata{}
	ns.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	err := reader.Get(ctx, client.ObjectKey{Name: name}, ns)
	if err == nil {
		return policies.Namespace{Name: name, Labels: ns.Labels, Known: true}
	}
	if !apierrors.IsNotFound(err) {
		logf.FromContext(ctx).Error(err, "namespace can't be read: every policy is taken to select it", "namespace", name)
	}
	return policies.Namespace{Name: name}
}

// carried returns the images that the controller owner carries, in the fields
// that Embargo sees when the owner is written, and in its ControllerRevisions.
// An owner that isn't there, may not be read, is being deleted, or is of a kind that
// nobody checks carries nothing: a reference to it proves nothing. The owner is read live: a
// stale cache would refuse the children of a change that was just admitted.
func (w *Workloads) carried(ctx context.Context, namespace string, ref *workload.OwnerReference) ([]workload.Image, error) {
	version, err := schema.ParseGroupVersion(ref.APIVersion)
	if err != nil {
		return nil, nil //nolint:nilerr // an owner that can't be named isn't in the cluster
	}
	kind := version.WithKind(ref.Kind)
	if !w.Covered(kind.GroupKind()) {
		return nil, nil
	}
	owner := &unstructured.Unstructured{}
	owner.SetGroupVersionKind(kind)
	err = w.Live.Get(ctx, client.ObjectKey{Namespace: namespace, Name: ref.Name}, owner)
	switch {
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		return nil, nil
	case apierrors.IsForbidden(err):
		logging.Warn(ctx, "a controller owner may not be read, so what it creates counts as introduced; grant the right by a ClusterRole with the label rbac.authorization.k8s.io/aggregate-to-view, or embargo.dev/aggregate-to-audit with rbac.read=workloads",
			"kind", kind.GroupKind().String(), "namespace", namespace)
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("reading the controller owner %s %s/%s: %w", ref.Kind, namespace, ref.Name, err)
	}
	if string(owner.GetUID()) != ref.UID || owner.GetDeletionTimestamp() != nil {
		return nil, nil
	}
	images := workload.FromMap(kind.GroupKind(), owner.Object).Images
	if !keepsRevisions(kind.GroupKind()) {
		return images, nil
	}
	revised, err := w.revisions(ctx, owner)
	return append(images, revised...), err
}

// keepsRevisions reports whether a kind of owner makes children from earlier
// versions of itself, kept in ControllerRevisions.
func keepsRevisions(kind schema.GroupKind) bool {
	return kind.Group == appsv1.GroupName && (kind.Kind == "StatefulSet" || kind.Kind == "DaemonSet")
}

// A StatefulSet or DaemonSet keeps ten revisions by default. Each has its whole template.
const (
	revisionPage  = 50
	revisionPages = 20
)

// revisions returns the images in the ControllerRevisions that the owner controls. Like the
// owner's own controller, it lists them by the owner's selector.
func (w *Workloads) revisions(ctx context.Context, owner *unstructured.Unstructured) ([]workload.Image, error) {
	selector, err := selectorOf(owner)
	if err != nil {
		return nil, err
	}
	var images []workload.Image
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(appsv1.SchemeGroupVersion.WithKind("ControllerRevisionList"))
	for range revisionPages {
		err := w.Live.List(ctx, list, client.InNamespace(owner.GetNamespace()), client.MatchingLabelsSelector{Selector: selector},
			client.Limit(revisionPage), client.Continue(list.GetContinue()))
		if err != nil {
			return nil, fmt.Errorf("listing ControllerRevisions in %s: %w", owner.GetNamespace(), err)
		}
		for i := range list.Items {
			if controlledBy(&list.Items[i], string(owner.GetUID())) {
				images = append(images, workload.FromMap(list.Items[i].GroupVersionKind().GroupKind(), list.Items[i].Object).Images...)
			}
		}
		if list.GetContinue() == "" {
			return images, nil
		}
	}
	return nil, fmt.Errorf("%s %s/%s has more than %d ControllerRevisions", owner.GetKind(), owner.GetNamespace(), owner.GetName(), revisionPage*revisionPages)
}

// selectorOf returns the selector of a StatefulSet or DaemonSet.
func selectorOf(owner *unstructured.Unstructured) (labels.Selector, error) {
	fields := struct {
		Spec struct {
			Selector *metav1.LabelSelector `json:"selector"`
		} `json:"spec"`
	}{}
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(owner.Object, &fields)
	if err != nil {
		return nil, fmt.Errorf("reading the selector of %s %s/%s: %w", owner.GetKind(), owner.GetNamespace(), owner.GetName(), err)
	}
	return metav1.LabelSelectorAsSelector(fields.Spec.Selector)
}

func controlledBy(object *unstructured.Unstructured, uid string) bool {
	return slices.ContainsFunc(object.GetOwnerReferences(), func(r metav1.OwnerReference) bool {
		return string(r.UID) == uid && r.Controller != nil && *r.Controller
	})
}
