package builtin

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	applymetav1 "k8s.io/client-go/applyconfigurations/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"embargo.dev/webhook/installation"
)

// Marker remembers, in a ConfigMap, that an installation has had its default
// policy. The ConfigMap goes with the installation's ClusterRole, so that a new
// installation starts afresh.
type Marker struct {
	Client    client.Client
	Namespace string // of the ConfigMap
	Name      string // of the ConfigMap
	Owner     string // name of the installation's ClusterRole
}

// defaultPolicyCreatedFor is the key of the UID of the CustomResourceDefinition for which the
// default policy was created.
const defaultPolicyCreatedFor = "defaultPolicyCreatedFor"

// Marked reports whether the default policy was created before, for the
// CustomResourceDefinition of this UID.
func (m Marker) Marked(ctx context.Context, kind types.UID) (bool, error) {
	var state corev1.ConfigMap
	err := m.Client.Get(ctx, client.ObjectKey{Namespace: m.Namespace, Name: m.Name}, &state)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the installation's state from ConfigMap %s/%s: %w", m.Namespace, m.Name, err)
	}
	return state.Data[defaultPolicyCreatedFor] == string(kind), nil
}

// Owners returns the owners of the ConfigMap: none while the installation is being removed.
func (m Marker) Owners(ctx context.Context) ([]metav1.OwnerReference, error) {
	return installation.Owners(ctx, m.Client, m.Owner)
}

// Mark remembers that the default policy was created for the CustomResourceDefinition of
// this UID.
func (m Marker) Mark(ctx context.Context, kind types.UID, owners []metav1.OwnerReference) error {
	state := applycorev1.ConfigMap(m.Name, m.Namespace).WithData(map[string]string{defaultPolicyCreatedFor: string(kind)})
	for _, o := range owners {
		state.WithOwnerReferences(applymetav1.OwnerReference().WithAPIVersion(o.APIVersion).WithKind(o.Kind).WithName(o.Name).WithUID(o.UID))
	}
	if err := m.Client.Apply(ctx, state, client.FieldOwner("embargo"), client.ForceOwnership); err != nil {
		return fmt.Errorf("writing the installation's state to ConfigMap %s/%s: %w", m.Namespace, m.Name, err)
	}
	return nil
}

var errKindGone = errors.New("the kind VendorPolicy is not served: its CustomResourceDefinition vendorpolicies.embargo.dev is missing or being deleted")

// kindOfPolicies returns the UID of the CustomResourceDefinition of VendorPolicies.
func kindOfPolicies(ctx context.Context, reader client.Reader) (types.UID, error) {
	crd := &metav1.PartialObjectMetadata{}
	crd.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	err := reader.Get(ctx, client.ObjectKey{Name: "vendorpolicies.embargo.dev"}, crd)
	if apierrors.IsNotFound(err) || err == nil && crd.DeletionTimestamp != nil {
		return "", errKindGone
	}
	if err != nil {
		return "", fmt.Errorf("reading the CustomResourceDefinition vendorpolicies.embargo.dev: %w", err)
	}
	return crd.UID, nil
}
