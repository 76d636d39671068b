package declared

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// keep brings the objects to what the ConfigMap declares. Its error says that this should
// be tried again soon; what only people can put right is told instead.
func (k *Keeper) keep(ctx context.Context) error {
	var configMap corev1.ConfigMap
	err := k.Client.Get(ctx, k.ConfigMap, &configMap)
	if apierrors.IsNotFound(err) || err == nil && configMap.DeletionTimestamp != nil {
		return nil // nothing is declared, and nothing is deleted for that
	}
	if err != nil {
		return fmt.Errorf("reading ConfigMap %s: %w", k.ConfigMap, err)
	}
	entries, names, problems := parse(configMap.Data)
	var again []error
	for _, e := range entries {
		err := k.apply(ctx, e.object)
		if err != nil {
			problems = append(problems, problem{e.key, e.id, err})
		}
		if err != nil && !lasting(err) {
			again = append(again, fmt.Errorf("%s: %w", e.key, err))
		}
	}
	if names != nil {
		stay, err := k.prune(ctx, names)
		problems, again = append(problems, stay...), append(again, err)
	}
	k.tell(ctx, &configMap, problems)
	return errors.Join(again...)
}

// lasting reports whether trying again is of no use until somebody changes the values or
// the object.
func lasting(err error) bool {
	_, taken := errors.AsType[errTaken](err)
	return taken || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsForbidden(err) && !unauthorized(err)
}

// unauthorized reports whether no rule of RBAC allows what was asked. The rule for a declared
// waiver comes with the values that declare it, but perhaps a moment later. A webhook or a
// policy that refuses an object answers with the same status and another text.
func unauthorized(err error) bool {
	return apierrors.IsForbidden(err) && strings.Contains(err.Error(), " cannot patch resource ")
}

// apply applies an object by server-side apply, without force: a field that somebody
// took over stays theirs. An object that others wrote is not taken over.
func (k *Keeper) apply(ctx context.Context, object *unstructured.Unstructured) error {
	current := &unstructured.Unstructured{}
	current.SetGroupVersionKind(object.GroupVersionKind())
	err := k.Client.Get(ctx, client.ObjectKeyFromObject(object), current)
	if client.IgnoreNotFound(err) != nil {
		return err
	}
	if err == nil && current.GetLabels()[listLabel] != listValues {
		return errTaken(fmt.Sprintf("%s %q is there already, written by %s, and is left as it is; take it out of the values, or delete it (kubectl delete %s %s) to have it as they say",
			object.GetKind(), object.GetName(), strings.Join(others(current), ", "), strings.ToLower(object.GetKind()), object.GetName()))
	}
	err = k.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(object.DeepCopy()), client.FieldOwner(FieldManager))
	if apierrors.IsConflict(err) {
		return errTaken("somebody changed it, and it is left as it is: " + err.Error())
	}
	return err
}

// prune deletes what was declared and is no more, unless others own some of its spec:
// what stays for that is returned.
func (k *Keeper) prune(ctx context.Context, names map[id]bool) (stay []problem, err error) {
	var errs []error
	for _, kind := range kinds {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(kind.gvk().GroupVersion().WithKind(kind.name + "List"))
		if err := k.Client.List(ctx, list, client.MatchingLabels{listLabel: listValues}); err != nil {
			errs = append(errs, fmt.Errorf("listing what the values declared: %w", err))
			continue
		}
		for i := range list.Items {
			object := &list.Items[i]
			gone := id{kind.name, object.GetName()}
			if names[gone] || object.GetDeletionTimestamp() != nil {
				continue
			}
			if managers := others(object); len(managers) > 0 {
				stay = append(stay, problem{kind.prefix + "." + gone.name, gone, errStays(fmt.Sprintf(
					"%s %q is no longer in the values and stays, since %s changed it; delete it if that is meant (kubectl delete %s %s)",
					kind.name, gone.name, strings.Join(managers, ", "), kind.prefix, gone.name))})
				continue
			}
			errs = append(errs, k.remove(ctx, object))
		}
	}
	return stay, errors.Join(errs...)
}

// remove deletes the version of an object that was looked at, and no later one.
func (k *Keeper) remove(ctx context.Context, object *unstructured.Unstructured) error {
	uid, version := object.GetUID(), object.GetResourceVersion()
	err := k.Client.Delete(ctx, object, client.Preconditions{UID: &uid, ResourceVersion: &version})
	if err := client.IgnoreNotFound(err); err != nil {
		return fmt.Errorf("deleting %s %q, which the values declared: %w", object.GetKind(), object.GetName(), err)
	}
	logf.FromContext(ctx).Info("deleted, since the values no longer declare it", "kind", object.GetKind(), "name", object.GetName())
	return nil
}
