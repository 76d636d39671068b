// Package builtin keeps the built-in restricted list in the cluster, and creates the default
// policy of a new installation.
package builtin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/internal/trigger"
	"embargo.dev/policies/catalog"
)

// FieldManager is the name under which the built-in list is applied.
const FieldManager = "embargo-catalog"

const (
	// resync is how often the cluster is compared with the list without any cause.
	resync = time.Minute
	// After a failure the pause grows from the first to the last. The kinds may be missing
	// for a while, and the webhook that checks them may not answer yet.
	firstRetry, lastRetry = 250 * time.Millisecond, 15 * time.Second
	// batchDelay is how long changes are gathered: somebody who applies a long list must not
	// cause a comparison for each of its vendors.
	batchDelay = 250 * time.Millisecond
)

// Installer puts the built-in vendors that the setting selects into the cluster, and keeps
// them there. It runs on the leader.
type Installer struct {
	Client client.Client // reads live, so that nothing is cached for it
	// Vendors are those to keep in the cluster.
	Vendors catalog.Selection
	// DefaultPolicy says whether a new installation gets the default policy.
	DefaultPolicy bool
	// Marker remembers that the default policy was created once.
	Marker Marker
	// Recorder writes an event on a vendor that is put back.
	Recorder events.EventRecorder
	// Triggers fire after objects of Embargo's kinds changed.
	Triggers []<-chan struct{}

	seen     map[string]bool       // vendors that have been in the cluster
	settled  map[string]settlement // by vendor
	reported map[string]outcome    // by vendor, as last reported
	failure  string                // as last logged
}

// NeedLeaderElection says that one replica installs.
func (i *Installer) NeedLeaderElection() bool { return true }

// Start keeps the list until the context ends.
func (i *Installer) Start(ctx context.Context) error {
	wake := trigger.New()
	wake.Follow(ctx, i.Triggers...)
	retry := firstRetry
	for {
		pause := resync
		err := i.reconcile(ctx)
		i.logFailure(ctx, err)
		if err == nil {
			retry = firstRetry
		} else {
			pause, retry = retry, min(2*retry, lastRetry)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
			wait(ctx, batchDelay)
		case <-time.After(pause):
		}
	}
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// reconcile brings vendors and default policy to what they should be. A vendor that can't be
// applied must not keep the others out of force.
func (i *Installer) reconcile(ctx context.Context) error {
	vendorsErr := i.keepVendors(ctx)
	return errors.Join(vendorsErr, i.createDefaultPolicy(ctx))
}

// logFailure logs a failure once, however often it repeats.
func (i *Installer) logFailure(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil {
		i.failure = ""
		return
	}
	if err.Error() != i.failure {
		i.failure = err.Error()
		logf.FromContext(ctx).Error(err, "the built-in list is not installed yet; trying again")
	}
}

// createDefaultPolicy creates the default policy once in the life of its kind. Whoever
// deletes or changes it has decided. Without the ClusterRole it creates nothing: the
// installation is being removed, and nothing would remove what comes after.
func (i *Installer) createDefaultPolicy(ctx context.Context) error {
	if !i.DefaultPolicy {
		return nil
	}
	kind, err := kindOfPolicies(ctx, i.Client)
	if err != nil {
		return err
	}
	done, err := i.Marker.Marked(ctx, kind)
	if err != nil || done {
		return err
	}
	owners, err := i.Marker.Owners(ctx)
	if err != nil || len(owners) == 0 {
		return err
	}
	policy := catalog.DefaultPolicy()
	err = i.Client.Create(ctx, &policy, client.FieldOwner(FieldManager))
	if client.IgnoreAlreadyExists(err) != nil {
		return fmt.Errorf("creating the default policy: %w", err)
	}
	if err == nil {
		logf.FromContext(ctx).Info("default policy created", "policy", policy.Name)
	}
	return i.Marker.Mark(ctx, kind, owners)
}
