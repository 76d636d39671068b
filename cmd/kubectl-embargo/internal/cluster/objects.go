package cluster

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"embargo.dev/policies"
)

// Object reads an object as it is; nil where there is none, or no such kind.
func (c *Cluster) Object(ctx context.Context, kind schema.GroupVersionKind, namespace, name string) (*unstructured.Unstructured, error) {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind)
	err := c.Reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, object)
	switch {
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		return nil, nil
	case err != nil:
		return nil, c.Unread(fmt.Sprintf("%s %s/%s", kind.Kind, namespace, name), err)
	default:
		return object, nil
	}
}

// Covers returns a function that says whether admission covers a kind, given the
// resources that it does.
func (c *Cluster) Covers(resources []string) func(schema.GroupKind) bool {
	return func(kind schema.GroupKind) bool {
		mapping, err := c.mapper.RESTMapping(kind)
		if err != nil {
			return false
		}
		r := mapping.Resource.GroupResource()
		return slices.Contains(resources, r.String()) || slices.Contains(resources, "*."+r.Group)
	}
}

// Told returns a reader that tells of everything that could not be read. What isn't
// there, and a kind that isn't served, is an answer.
func (c *Cluster) Told(tell func(error)) client.Reader { return told{c, tell} }

type told struct {
	*Cluster

	tell func(error)
}

func (t told) Get(ctx context.Context, key client.ObjectKey, object client.Object, opts ...client.GetOption) error {
	err := t.Reader.Get(ctx, key, object, opts...)
	t.report(fmt.Sprintf("%s %s", object.GetObjectKind().GroupVersionKind().Kind, key), err)
	return err
}

func (t told) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	err := t.Reader.List(ctx, list, opts...)
	t.report(list.GetObjectKind().GroupVersionKind().Kind, err)
	return err
}

func (t told) report(what string, err error) {
	if err != nil && !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err) {
		t.tell(t.Unread(what, err))
	}
}

// WithNamespaces returns a reader to which the labels in manifests are applied on top
// of those that namespaces have, as applying the manifests would.
func WithNamespaces(reader client.Reader, manifests map[string]policies.Namespace) client.Reader {
	return withNamespaces{reader, manifests}
}

type withNamespaces struct {
	client.Reader

	manifests map[string]policies.Namespace
}

func (w withNamespaces) Get(ctx context.Context, key client.ObjectKey, object client.Object, opts ...client.GetOption) error {
	err := w.Reader.Get(ctx, key, object, opts...)
	ns, isMetadata := object.(*metav1.PartialObjectMetadata)
	if !isMetadata || ns.GroupVersionKind() != corev1.SchemeGroupVersion.WithKind("Namespace") {
		return err
	}
	manifest, applied := w.manifests[key.Name]
	if !applied {
		return err
	}
	ns.Name = key.Name
	ns.Labels = labels.Merge(ns.Labels, manifest.Labels)
	return nil
}
