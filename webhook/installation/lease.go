package installation

import (
	"context"
	"fmt"
	"slices"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// Lease makes the installation the owner of the lease by which the leader is chosen:
// those who choose create it without one. It runs on the leader.
type Lease struct {
	Client client.Client // reads live
	Name   types.NamespacedName
	Owner  string // name of the ClusterRole
}

// NeedLeaderElection says that whoever holds the lease does it.
func (l *Lease) NeedLeaderElection() bool { return true }

// Start does it once.
func (l *Lease) Start(ctx context.Context) error {
	for {
		err := l.own(ctx)
		if err == nil {
			return nil
		}
		logf.FromContext(ctx).Error(err, "the lease has no owner yet; trying again", "lease", l.Name)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(retryAfter):
		}
	}
}

const retryAfter = 5 * time.Second

func (l *Lease) own(ctx context.Context) error {
	owners, err := Owners(ctx, l.Client, l.Owner)
	if err != nil || len(owners) == 0 {
		return err
	}
	var lease coordinationv1.Lease
	if err := l.Client.Get(ctx, l.Name, &lease); err != nil {
		return fmt.Errorf("reading the lease: %w", err)
	}
	if slices.ContainsFunc(lease.OwnerReferences, func(o metav1.OwnerReference) bool { return o.UID == owners[0].UID }) {
		return nil
	}
	// A patch touches nothing that those who renew the lease write.
	before := lease.DeepCopy()
	lease.OwnerReferences = owners
	return l.Client.Patch(ctx, &lease, client.MergeFrom(before))
}
