package cluster

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"embargo.dev/policies"
)

// Down reports whether the cluster gave no answer.
func (c *Cluster) Down() bool {
	m, ok := c.Reader.(*memory)
	if !ok {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.down != nil
}

// Namespaces reads all namespaces.
func (c *Cluster) Namespaces(ctx context.Context) (map[string]policies.Namespace, error) {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("NamespaceList"))
	found := map[string]policies.Namespace{}
	err := c.each(ctx, list, "namespaces", func() {
		for i := range list.Items {
			ns := &list.Items[i]
			found[ns.Name] = policies.Namespace{Name: ns.Name, Labels: ns.Labels, Known: true}
		}
	})
	return found, err
}

// NamespaceNamed reads a namespace. Of one that may not be read the name is known.
func (c *Cluster) NamespaceNamed(ctx context.Context, name string) (policies.Namespace, error) {
	ns := &metav1.PartialObjectMetadata{}
	ns.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	err := c.Reader.Get(ctx, client.ObjectKey{Name: name}, ns)
	switch {
	case err == nil:
		return policies.Namespace{Name: name, Labels: ns.Labels, Known: true}, nil
	case apierrors.IsForbidden(err):
		return policies.Namespace{Name: name}, nil
	default:
		return policies.Namespace{}, c.Unread(fmt.Sprintf("namespace %q", name), err)
	}
}
