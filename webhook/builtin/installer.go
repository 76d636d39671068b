// Package builtin installs the built-in restricted list and the default policy.
// It runs on the leader, once for each start.
package builtin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/policies/catalog"
	"embargo.dev/policies/v1alpha1"
)

const (
	// FieldManager is the name under which the built-in list is applied.
	FieldManager = "embargo-catalog"
	// listLabel marks the vendors that come from the built-in list.
	listLabel   = "embargo.dev/list"
	listBuiltin = "builtin"
)

// Installer applies the built-in vendors that the setting names, and creates the
// default policy of a new installation.
type Installer struct {
	Client client.Client // reads live, so that nothing is cached for it
	// Vendors are the names to apply; All stands for every built-in vendor.
	Vendors []string
	// DefaultPolicy says whether a new installation gets the default policy.
	DefaultPolicy bool
	// Marker remembers that the default policy was created once.
	Marker Marker
}

// All is the setting that names every built-in vendor.
const All = "*"

// NeedLeaderElection says that one replica installs.
func (i *Installer) NeedLeaderElection() bool { return true }

// Start installs what is missing, and tries again until it is done or the
// context ends: the webhook for Embargo's own kinds may not answer yet.
func (i *Installer) Start(ctx context.Context) error {
	backoff := wait.Backoff{Duration: 250 * time.Millisecond, Factor: 2, Jitter: 0.1, Steps: 8, Cap: 30 * time.Second}
	return backoff.DelayFunc().Until(ctx, true, true, func(ctx context.Context) (bool, error) {
		err := i.install(ctx)
		if err != nil {
			logf.FromContext(ctx).Error(err, "the built-in list is not installed yet; trying again")
		}
		return err == nil, nil
	})
}

func (i *Installer) install(ctx context.Context) error {
	vendors, err := catalog.Vendors()
	if err != nil {
		return fmt.Errorf("reading the built-in list: %w", err)
	}
	var errs []error // one vendor that can't be applied must not keep the others out of force
	for v := range slices.Values(vendors) {
		if !i.wants(v.Name) {
			continue
		}
		if err := i.apply(ctx, &v); err != nil {
			errs = append(errs, fmt.Errorf("applying the built-in vendor %s: %w", v.Name, err))
		}
	}
	errs = append(errs, i.createDefaultPolicy(ctx))
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return i.warnOfDropped(ctx)
}

func (i *Installer) wants(name string) bool {
	return slices.Contains(i.Vendors, All) || slices.Contains(i.Vendors, name)
}

// apply applies a vendor by server-side apply, without force: a field that a
// person took over stays theirs, and what conflicts is told.
func (i *Installer) apply(ctx context.Context, v *v1alpha1.RestrictedVendor) error {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(v)
	if err != nil {
		return err
	}
	object := &unstructured.Unstructured{Object: content}
	object.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("RestrictedVendor"))
	unstructured.RemoveNestedField(object.Object, "status")
	unstructured.RemoveNestedField(object.Object, "metadata", "creationTimestamp")
	err = i.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.FieldOwner(FieldManager))
	if apierrors.IsConflict(err) {
		logf.FromContext(ctx).Info("a built-in vendor was changed by someone else and is left as it is", "vendor", v.Name, "conflict", err.Error())
		return nil
	}
	return err
}

// warnOfDropped tells of built-in vendors that the setting no longer names. They
// are kept: what is restricted must not change by an omission.
func (i *Installer) warnOfDropped(ctx context.Context) error {
	var list v1alpha1.RestrictedVendorList
	if err := i.Client.List(ctx, &list, client.MatchingLabels{listLabel: listBuiltin}); err != nil {
		return fmt.Errorf("listing built-in vendors: %w", err)
	}
	for v := range slices.Values(list.Items) {
		if !i.wants(v.Name) {
			logf.FromContext(ctx).Info("WARNING: a built-in vendor is no longer named in catalog.vendors and stays in force; delete it if that is meant",
				"command", "kubectl delete restrictedvendor "+v.Name)
		}
	}
	return nil
}

// createDefaultPolicy creates the default policy once in an installation's life.
// Whoever deletes or changes it has decided.
func (i *Installer) createDefaultPolicy(ctx context.Context) error {
	if !i.DefaultPolicy {
		return nil
	}
	done, err := i.Marker.Marked(ctx)
	if err != nil || done {
		return err
	}
	policy := catalog.DefaultPolicy()
	err = i.Client.Create(ctx, &policy, client.FieldOwner(FieldManager))
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("creating the default policy: %w", err)
	}
	return i.Marker.Mark(ctx)
}
