package builtin

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
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

const defaultPolicyCreated = "defaultPolicyCreated"

// Marked reports whether the default policy was created before.
func (m Marker) Marked(ctx context.Context) (bool, error) {
	var state corev1.ConfigMap
	err := m.Client.Get(ctx, client.ObjectKey{Namespace: m.Namespace, Name: m.Name}, &state)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the installation's state from ConfigMap %s/%s: %w", m.Namespace, m.Name, err)
	}
	return state.Data[defaultPolicyCreated] == "true", nil
}

// Mark remembers that the default policy was created. The ConfigMap is applied, since the
// right to create by server-side apply can be bound to its name.
func (m Marker) Mark(ctx context.Context) error {
	owners, err := installation.Owners(ctx, m.Client, m.Owner)
	if err != nil {
		return err
	}
	state := corev1ac.ConfigMap(m.Name, m.Namespace).WithData(map[string]string{defaultPolicyCreated: "true"})
	for _, o := range owners {
		state.WithOwnerReferences(metav1ac.OwnerReference().WithAPIVersion(o.APIVersion).WithKind(o.Kind).WithName(o.Name).WithUID(o.UID))
	}
	if err := m.Client.Apply(ctx, state, client.FieldOwner("embargo"), client.ForceOwnership); err != nil {
		return fmt.Errorf("writing the installation's state to ConfigMap %s/%s: %w", m.Namespace, m.Name, err)
	}
	return nil
}
