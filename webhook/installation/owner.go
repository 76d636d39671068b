// Package installation knows the cluster-scoped object that stands for an installation:
// its ClusterRole. What the controller writes is owned by it, so that uninstalling, which
// deletes it, leaves nothing.
package installation

import (
	"context"
	"fmt"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Owners returns what an object of the installation is owned by: the ClusterRole of the
// name, or nobody where there is none: the installation is being removed, or has been.
func Owners(ctx context.Context, reader client.Reader, name string) ([]metav1.OwnerReference, error) {
	var role rbacv1.ClusterRole
	err := reader.Get(ctx, client.ObjectKey{Name: name}, &role)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading ClusterRole %s: %w", name, err)
	}
	return []metav1.OwnerReference{{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRole", Name: role.Name, UID: role.UID}}, nil
}
