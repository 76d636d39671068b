package registration

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ac "k8s.io/client-go/applyconfigurations/admissionregistration/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"embargo.dev/internal/logging"
)

// propagation is how long other API servers may take to see what one of them stored:
// before it has passed nothing is said to be in force.
const propagation = 100 * time.Millisecond

// propagate waits until other API servers have seen what was written.
func propagate(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case <-time.After(propagation):
	}
	return ctx.Err()
}

// write applies the configuration where it differs, but not over another installation's,
// and not at once over a newer version's.
func (r *Registrar) write(ctx context.Context, configuration *ac.ValidatingWebhookConfigurationApplyConfiguration) (o Outcome, reason string, err error) {
	want, err := typed(configuration)
	if err != nil {
		return Failed, "", err
	}
	current, err := r.current(ctx)
	if err != nil {
		return Failed, "", err
	}
	if reason := r.standBack(current); reason != "" {
		return Conflict, reason, nil
	}
	if current != nil {
		if reason := r.yield(current.Annotations[VersionAnnotation]); reason != "" {
			return Waiting, reason, nil
		}
	}
	if err := r.update(ctx, current, configuration, want); err != nil {
		return Failed, "", err
	}
	r.written = want
	return InPlace, "", nil
}

// update applies the configuration where the current one, nil for none, differs.
func (r *Registrar) update(ctx context.Context, current *admissionv1.ValidatingWebhookConfiguration, configuration *ac.ValidatingWebhookConfigurationApplyConfiguration, want *admissionv1.ValidatingWebhookConfiguration) error {
	if current != nil && upToDate(current, want) {
		return nil
	}
	repair := changedByOthers(current, r.written)
	if err := r.put(ctx, configuration, want); err != nil {
		return err
	}
	if repair {
		repairs.Inc()
		logging.Warn(ctx, "somebody else changed or deleted the webhook configuration; it is repaired", "configuration", Name)
	}
	return propagate(ctx)
}

// current reads the configuration, nil where there is none.
func (r *Registrar) current(ctx context.Context) (*admissionv1.ValidatingWebhookConfiguration, error) {
	current := &admissionv1.ValidatingWebhookConfiguration{}
	err := r.live.Get(ctx, client.ObjectKey{Name: Name}, current)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return current, err
}

// put applies the configuration. Applying takes back what others changed, but leaves
// what they added beside it: a condition that is never true would switch an entry off,
// and a second way to reach the webhook makes the whole invalid. So where the outcome
// differs the entries are written as a whole.
func (r *Registrar) put(ctx context.Context, configuration *ac.ValidatingWebhookConfigurationApplyConfiguration, want *admissionv1.ValidatingWebhookConfiguration) error {
	applied := r.client.Apply(ctx, configuration, client.FieldOwner(FieldManager), client.ForceOwnership)
	if applied != nil && !apierrors.IsInvalid(applied) {
		return applied
	}
	var current admissionv1.ValidatingWebhookConfiguration
	if err := r.live.Get(ctx, client.ObjectKey{Name: Name}, &current); err != nil {
		return cmp.Or(applied, err)
	}
	if upToDate(&current, want) {
		return nil
	}
	whole, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"resourceVersion": current.ResourceVersion},
		"webhooks": want.Webhooks,
	})
	if err != nil {
		return err
	}
	return r.client.Patch(ctx, &current, client.RawPatch(types.MergePatchType, whole), client.FieldOwner(FieldManager))
}

// typed is the object that an apply configuration describes. Applying puts the answer
// into the configuration, so that it tells what was wanted only before.
func typed(configuration *ac.ValidatingWebhookConfigurationApplyConfiguration) (*admissionv1.ValidatingWebhookConfiguration, error) {
	raw, err := json.Marshal(configuration)
	if err != nil {
		return nil, err
	}
	want := &admissionv1.ValidatingWebhookConfiguration{}
	return want, json.Unmarshal(raw, want)
}

// upToDate reports whether the object has all that is wanted. All fields with a default
// are applied, so that they compare.
func upToDate(current, want *admissionv1.ValidatingWebhookConfiguration) bool {
	for key, value := range want.Annotations {
		if current.Annotations[key] != value {
			return false
		}
	}
	return equality.Semantic.DeepEqual(current.Webhooks, want.Webhooks) &&
		slices.ContainsFunc(current.OwnerReferences, func(o metav1.OwnerReference) bool { return o.UID == want.OwnerReferences[0].UID })
}
