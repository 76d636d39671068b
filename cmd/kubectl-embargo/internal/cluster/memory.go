package cluster

import (
	"context"
	"errors"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// memory is a live reader that remembers the metadata of what it read, which is asked
// for again and again (namespaces), and that a cluster can't be reached, so that this
// isn't tried, and waited for, with every object.
type memory struct {
	live client.Reader

	mu       sync.Mutex
	metadata map[client.ObjectKey]remembered
	down     error
}

type remembered struct {
	object *metav1.PartialObjectMetadata
	err    error
}

// Get reads an object.
func (m *memory) Get(ctx context.Context, key client.ObjectKey, object client.Object, opts ...client.GetOption) error {
	wanted, ok := object.(*metav1.PartialObjectMetadata)
	if !ok {
		return m.try(func() error { return m.live.Get(ctx, key, object, opts...) })
	}
	kind := wanted.GroupVersionKind()
	named := client.ObjectKey{Namespace: kind.String() + "/" + key.Namespace, Name: key.Name}
	m.mu.Lock()
	known, found := m.metadata[named]
	m.mu.Unlock()
	if !found {
		err := m.try(func() error { return m.live.Get(ctx, key, wanted, opts...) })
		known = remembered{object: wanted.DeepCopy(), err: err}
		m.mu.Lock()
		if m.metadata == nil {
			m.metadata = map[client.ObjectKey]remembered{}
		}
		m.metadata[named] = known
		m.mu.Unlock()
	}
	known.object.DeepCopyInto(wanted)
	return known.err
}

// List reads a list.
func (m *memory) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	return m.try(func() error { return m.live.List(ctx, list, opts...) })
}

func (m *memory) try(read func() error) error {
	m.mu.Lock()
	down := m.down
	m.mu.Unlock()
	if down != nil {
		return down
	}
	err := read()
	if err != nil && !answered(err) {
		m.mu.Lock()
		m.down = err
		m.mu.Unlock()
	}
	return err
}

// answered reports whether an error is an answer of the API server's, rather than the
// lack of one.
func answered(err error) bool {
	status := apierrors.APIStatus(nil)
	return errors.As(err, &status) || meta.IsNoMatchError(err) || errors.Is(err, context.Canceled)
}
