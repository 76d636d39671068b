package builtin

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

// Mark remembers that the default policy was created.
func (m Marker) Mark(ctx context.Context) error {
	owners, err := installation.Owners(ctx, m.Client, m.Owner)
	if err != nil {
		return err
	}
	state := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: m.Namespace, Name: m.Name, OwnerReferences: owners},
		Data:       map[string]string{defaultPolicyCreated: "true"},
	}
	if err := m.Client.Create(ctx, state); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("writing the installation's state to ConfigMap %s/%s: %w", m.Namespace, m.Name, err)
	}
	return nil
}
