package installation

import (
	"context"
	"fmt"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationv1ac "k8s.io/client-go/applyconfigurations/coordination/v1"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// fieldManager is the field manager that creates the lease.
const fieldManager = "embargo"

// LeaseLock is client-go's lock, except for how it creates the lease: by server-side apply.
// Only then does the API server know the name when it asks whether the controller may
// create it, so only then can RBAC bind that right to the one name.
type LeaseLock struct{ *resourcelock.LeaseLock }

// NewLeaseLock returns a lock on the lease of a name.
func NewLeaseLock(leases coordinationv1client.LeasesGetter, namespace, name string, config resourcelock.ResourceLockConfig) *LeaseLock {
	return &LeaseLock{&resourcelock.LeaseLock{
		LeaseMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Client: leases, LockConfig: config,
	}}
}

// Create creates the lease without a holder, which any number of replicas may do at once,
// and then takes it. Of several replicas that try, the API server lets one take it: the
// others' updates are for a version that is no longer there.
func (l *LeaseLock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	lease := coordinationv1ac.Lease(l.LeaseMeta.Name, l.LeaseMeta.Namespace)
	if _, err := l.Client.Leases(l.LeaseMeta.Namespace).Apply(ctx, lease, metav1.ApplyOptions{FieldManager: fieldManager, Force: true}); err != nil {
		return fmt.Errorf("creating the lease: %w", err)
	}
	current, _, err := l.Get(ctx)
	if err != nil {
		return fmt.Errorf("reading the lease: %w", err)
	}
	if current.HolderIdentity != "" {
		return apierrors.NewAlreadyExists(coordinationv1.Resource("leases"), l.LeaseMeta.Name)
	}
	return l.Update(ctx, record)
}
