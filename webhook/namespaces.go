package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	admissionv1 "k8s.io/api/admission/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"embargo.dev/policies/v1alpha1"
)

// verbExempt is what a user needs on a VendorPolicy to take a namespace out of it,
// and on a VendorWaiver to bring one into it.
const verbExempt = "exempt"

// maxMissing is how many rights a refusal names.
const maxMissing = 3

// exemption is a step by which a namespace gets out of a rule.
type exemption struct {
	resource string // vendorpolicies or vendorwaivers
	name     string
	step     string // in words
}

// namespace refuses changes of labels by which a namespace would exempt itself.
func (k *Kinds) namespace(ctx context.Context, review *admissionv1.AdmissionRequest) admission.Response {
	now, before, err := decodeBoth[metav1.PartialObjectMetadata](review)
	if err != nil {
		return errored(http.StatusBadRequest, err)
	}
	if now.DeletionTimestamp != nil {
		return admission.Allowed("")
	}
	exemptions, err := k.exemptions(ctx, now, before)
	if err != nil {
		return errored(http.StatusInternalServerError, err)
	}
	var missing []string
	for i, e := range exemptions {
		if len(missing) == maxMissing {
			missing = append(missing, fmt.Sprintf("and perhaps %d more", len(exemptions)-i))
			break
		}
		allowed, err := k.mayExempt(ctx, review, e)
		if err != nil {
			return errored(http.StatusInternalServerError, err)
		}
		if !allowed {
			missing = append(missing, fmt.Sprintf("the namespace would %s %s, for which %q needs the verb %q on %s.%s",
				e.step, e.name, review.UserInfo.Username, verbExempt, e.resource, v1alpha1.GroupVersion.Group))
		}
	}
	if len(missing) > 0 {
		return refused(review, apierrors.NewForbidden(resource(review), review.Name, errors.New(strings.Join(missing, "; "))))
	}
	return admission.Allowed("")
}

// exemptions are the policies that the namespace leaves and the live waivers that it
// enters. A namespace that is created leaves none: it was nowhere.
func (k *Kinds) exemptions(ctx context.Context, now, before *metav1.PartialObjectMetadata) ([]exemption, error) {
	there, err := k.rules(ctx)
	if err != nil {
		return nil, err
	}
	var list []exemption
	for i := range there.policies.Items {
		p := &there.policies.Items[i]
		if before != nil && selects(&p.Spec.NamespaceSelector, before) && !selects(&p.Spec.NamespaceSelector, now) {
			list = append(list, exemption{"vendorpolicies", p.Name, "leave the VendorPolicy"})
		}
	}
	for i := range there.waivers.Items {
		w := &there.waivers.Items[i]
		entered := selects(&w.Spec.NamespaceSelector, now) && (before == nil || !selects(&w.Spec.NamespaceSelector, before))
		if entered && w.Spec.Expires.After(k.Clock()) {
			list = append(list, exemption{"vendorwaivers", w.Name, "enter the VendorWaiver"})
		}
	}
	return list, nil
}

// selects reports whether the selector covers the namespace. One that can't be read
// is not in force, so it covers none.
func selects(selector *metav1.LabelSelector, namespace *metav1.PartialObjectMetadata) bool {
	s, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return false
	}
	return s.Matches(labels.Merge(namespace.Labels, labels.Set{corev1.LabelMetadataName: namespace.Name}))
}

func (k *Kinds) mayExempt(ctx context.Context, review *admissionv1.AdmissionRequest, e exemption) (bool, error) {
	extra := make(map[string]authorizationv1.ExtraValue, len(review.UserInfo.Extra))
	for key, value := range review.UserInfo.Extra {
		extra[key] = authorizationv1.ExtraValue(value)
	}
	answer, err := k.Access.Create(ctx, &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: review.UserInfo.Username, Groups: review.UserInfo.Groups, UID: review.UserInfo.UID, Extra: extra,
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Group: v1alpha1.GroupVersion.Group, Resource: e.resource, Name: e.name, Verb: verbExempt,
		},
	}}, metav1.CreateOptions{})
	if err != nil {
		return false, fmt.Errorf("asking whether %s may %s %s: %w", review.UserInfo.Username, e.step, e.name, err)
	}
	return answer.Status.Allowed, nil
}
