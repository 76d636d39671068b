package builtin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"embargo.dev/policies/catalog"
	"embargo.dev/policies/v1alpha1"
)

const (
	// listLabel marks the vendors that come from the built-in list.
	listLabel   = "embargo.dev/list"
	listBuiltin = "builtin"
	// versionAnnotation has the version of the list that a vendor was applied from.
	versionAnnotation = "embargo.dev/list-version"
)

// settlement is the outcome of a vendor's last write, and the version that the write left in
// the cluster. While the vendor has that version, nothing is written.
type settlement struct {
	version version
	outcome outcome
}

// version tells versions of a vendor in the cluster apart: its generation counts the changes
// of its spec.
type version struct {
	uid         types.UID
	generation  int64
	listVersion string
}

func versionOf(o metav1.Object) version {
	return version{o.GetUID(), o.GetGeneration(), o.GetAnnotations()[versionAnnotation]}
}

// keepVendors restores and updates the vendors that the setting selects, and reports what it
// leaves unchanged.
func (i *Installer) keepVendors(ctx context.Context) error {
	vendors, err := catalog.Vendors()
	if err != nil {
		return fmt.Errorf("reading the built-in list: %w", err)
	}
	present, err := i.present(ctx, vendors)
	if err != nil {
		i.reportFailure(ctx, vendors)
		return err
	}
	i.remember(vendors, present)
	outcomes := map[string]outcome{}
	var errs []error
	for v := range slices.Values(vendors) {
		if !i.Vendors.Has(v.Name) {
			continue
		}
		outcomes[v.Name], err = i.keep(ctx, &v, present[v.Name])
		if err != nil {
			errs = append(errs, fmt.Errorf("applying the built-in vendor %s: %w", v.Name, err))
		}
	}
	for name, object := range present {
		if !i.Vendors.Has(name) && ours(object) && !newer(object) {
			outcomes[name] = outcome{state: stateDeselected, command: "kubectl delete restrictedvendor " + name}
		}
	}
	i.report(ctx, outcomes)
	return errors.Join(errs...)
}

// present returns the metadata of the vendors with the list's label, and of those with the
// name of a wanted vendor.
func (i *Installer) present(ctx context.Context, vendors []v1alpha1.RestrictedVendor) (map[string]*metav1.PartialObjectMetadata, error) {
	kind := v1alpha1.GroupVersion.WithKind("RestrictedVendor")
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("RestrictedVendorList"))
	if err := i.Client.List(ctx, list, client.MatchingLabels{listLabel: listBuiltin}); err != nil {
		return nil, fmt.Errorf("listing built-in vendors: %w", err)
	}
	present := map[string]*metav1.PartialObjectMetadata{}
	for at := range list.Items {
		present[list.Items[at].Name] = &list.Items[at]
	}
	for v := range slices.Values(vendors) {
		if present[v.Name] != nil || !i.Vendors.Has(v.Name) {
			continue
		}
		object := &metav1.PartialObjectMetadata{}
		object.SetGroupVersionKind(kind)
		err := i.Client.Get(ctx, client.ObjectKey{Name: v.Name}, object)
		if client.IgnoreNotFound(err) != nil {
			return nil, fmt.Errorf("reading the vendor %s: %w", v.Name, err)
		}
		if err == nil {
			present[v.Name] = object
		}
	}
	return present, nil
}

// remember notes which vendors have been in the cluster. At the start a vendor that is missing
// beside others of the same version of the list has been there, too, and somebody deleted it
// while nobody led.
func (i *Installer) remember(vendors []v1alpha1.RestrictedVendor, present map[string]*metav1.PartialObjectMetadata) {
	if i.seen == nil {
		i.seen, i.settled = map[string]bool{}, map[string]settlement{}
		for object := range maps.Values(present) {
			if !ours(object) || object.Annotations[versionAnnotation] != catalog.Version {
				continue
			}
			for v := range slices.Values(vendors) {
				i.seen[v.Name] = true
			}
		}
	}
	for name := range present {
		i.seen[name] = true
	}
}

// ours reports whether an object comes from the built-in list: it has the list's label and a
// version. Objects without both belong to somebody else.
func ours(object metav1.Object) bool {
	return object.GetLabels()[listLabel] == listBuiltin && object.GetAnnotations()[versionAnnotation] != ""
}

// newer reports whether an object has a newer version than this list, as where somebody feeds
// a list of their own.
func newer(object metav1.Object) bool {
	order, err := catalog.CompareVersions(object.GetAnnotations()[versionAnnotation], catalog.Version)
	return err == nil && order > 0
}

// keep brings one vendor to what the list says, unless that is somebody else's decision.
func (i *Installer) keep(ctx context.Context, v *v1alpha1.RestrictedVendor, current *metav1.PartialObjectMetadata) (outcome, error) {
	if current == nil {
		return i.install(ctx, v)
	}
	if current.DeletionTimestamp != nil {
		return i.settled[v.Name].outcome, nil // its deletion wakes the loop once more
	}
	if !ours(current) {
		return outcome{state: stateForeign}, nil
	}
	_, err := catalog.CompareVersions(current.Annotations[versionAnnotation], catalog.Version)
	switch {
	case err != nil:
		reason := "annotation " + versionAnnotation + ": " + err.Error()
		return outcome{state: stateForeign, reason: reason}, nil //nolint:nilerr // an object of somebody else's is no failure
	case newer(current):
		return outcome{state: stateNewer, reason: "version " + current.Annotations[versionAnnotation]}, nil
	case i.settled[v.Name].version == versionOf(current):
		return i.settled[v.Name].outcome, nil
	}
	return i.apply(ctx, v)
}

// install creates a vendor that is missing. Where it has been there before, an event says how
// to leave it out.
func (i *Installer) install(ctx context.Context, v *v1alpha1.RestrictedVendor) (outcome, error) {
	object, err := desired(v)
	if err != nil {
		return outcome{state: stateFailed}, err
	}
	done, err := i.applyObject(ctx, v.Name, object)
	if err == nil && i.seen[v.Name] {
		i.Recorder.Eventf(object, nil, corev1.EventTypeWarning, "VendorRestored", "KeepBuiltinList",
			`this vendor was deleted; Embargo restored it because catalog.vendors names it. To leave it out, set catalog.vendors to ["*", %q], or name only the vendors to keep, and then delete it`, "!"+v.Name)
	}
	i.seen[v.Name] = i.seen[v.Name] || err == nil
	return done, err
}

// apply updates a vendor.
func (i *Installer) apply(ctx context.Context, v *v1alpha1.RestrictedVendor) (outcome, error) {
	object, err := desired(v)
	if err != nil {
		return outcome{state: stateFailed}, err
	}
	return i.applyObject(ctx, v.Name, object)
}

// applyObject applies by server-side apply, without force: a field that a person took over
// stays theirs. What came of it holds until the object changes.
func (i *Installer) applyObject(ctx context.Context, name string, object *unstructured.Unstructured) (outcome, error) {
	err := i.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.FieldOwner(FieldManager))
	switch {
	case apierrors.IsConflict(err):
		return i.leave(ctx, name, err)
	case err != nil:
		return outcome{state: stateFailed, reason: err.Error()}, err
	default:
		return i.settle(name, object, outcome{state: stateManaged}), nil
	}
}

// leave notes that somebody else changed a vendor, in the version that it has now.
func (i *Installer) leave(ctx context.Context, name string, conflict error) (outcome, error) {
	changed := outcome{state: stateChanged, reason: conflict.Error()}
	current := &metav1.PartialObjectMetadata{}
	current.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("RestrictedVendor"))
	if err := i.Client.Get(ctx, client.ObjectKey{Name: name}, current); err != nil {
		return changed, client.IgnoreNotFound(err)
	}
	return i.settle(name, current, changed), nil
}

// settle remembers an outcome until the object changes.
func (i *Installer) settle(name string, object metav1.Object, o outcome) outcome {
	i.settled[name] = settlement{versionOf(object), o}
	return o
}

// desired is a vendor as it is applied.
func desired(v *v1alpha1.RestrictedVendor) (*unstructured.Unstructured, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(v)
	if err != nil {
		return nil, err
	}
	object := &unstructured.Unstructured{Object: content}
	object.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("RestrictedVendor"))
	object.SetAnnotations(map[string]string{versionAnnotation: catalog.Version})
	unstructured.RemoveNestedField(object.Object, "status")
	unstructured.RemoveNestedField(object.Object, "metadata", "creationTimestamp")
	return object, nil
}
