package webhook

import (
	"context"
	"fmt"
	"net/http"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
	"sigs.k8s.io/json"

	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/webhook/preview"
)

// Kinds decides requests for Embargo's own kinds and for the labels of namespaces.
type Kinds struct {
	// Cache has Embargo's objects.
	Cache client.Reader
	// Self is the user name of this controller, which alone writes reports.
	Self string
	// Clock tells whether a waiver has expired.
	Clock func() time.Time
	// Preview says what a change would do to workloads that are there.
	Preview *preview.Previewer
}

var _ admission.Handler = &Kinds{}

// Handle decides the request. Deleting is never in the way.
func (k *Kinds) Handle(ctx context.Context, review admission.Request) admission.Response {
	switch review.Operation {
	case admissionv1.Create, admissionv1.Update:
	case admissionv1.Delete, admissionv1.Connect:
		return admission.Allowed("")
	default:
		return errored(http.StatusBadRequest, errOperation(review.Operation))
	}
	switch kind := kindOf(&review.AdmissionRequest); kind {
	case kindNamed("RestrictedVendor"):
		return k.vendor(ctx, &review.AdmissionRequest)
	case kindNamed("VendorPolicy"):
		return k.policy(ctx, &review.AdmissionRequest)
	case kindNamed("VendorWaiver"):
		return k.waiver(ctx, &review.AdmissionRequest)
	case kindNamed("VendorReport"):
		return k.report(&review.AdmissionRequest)
	case schema.GroupKind{Kind: "Namespace"}:
		return k.namespace(ctx, &review.AdmissionRequest)
	default:
		return errored(http.StatusBadRequest, fmt.Errorf("request.kind: %q is not decided here", kind))
	}
}

// kindNamed is one of Embargo's own kinds.
func kindNamed(name string) schema.GroupKind {
	return schema.GroupKind{Group: v1alpha1.GroupVersion.Group, Kind: name}
}

// rules are Embargo's objects as they are.
type rules struct {
	vendors  v1alpha1.RestrictedVendorList
	policies v1alpha1.VendorPolicyList
	waivers  v1alpha1.VendorWaiverList
}

// rules reads Embargo's objects from the cache.
func (k *Kinds) rules(ctx context.Context) (*rules, error) {
	r := &rules{}
	for _, list := range []client.ObjectList{&r.vendors, &r.policies, &r.waivers} {
		if err := k.Cache.List(ctx, list); err != nil {
			return nil, fmt.Errorf("listing %T from the cache: %w", list, err)
		}
	}
	return r, nil
}

func (k *Kinds) vendor(ctx context.Context, review *admissionv1.AdmissionRequest) admission.Response {
	there, err := k.rules(ctx)
	if err != nil {
		return errored(http.StatusInternalServerError, err)
	}
	return check(review, k.Self, func(v, _ *v1alpha1.RestrictedVendor) (field.ErrorList, []string) {
		return policies.ValidateRestrictedVendor(v), policies.OddRestrictedVendor(v)
	}, func(v *v1alpha1.RestrictedVendor) []string {
		return k.Preview.Vendor(ctx, v, there.policies.Items, there.waivers.Items)
	})
}

func (k *Kinds) policy(ctx context.Context, review *admissionv1.AdmissionRequest) admission.Response {
	there, err := k.rules(ctx)
	if err != nil {
		return errored(http.StatusInternalServerError, err)
	}
	return check(review, k.Self, func(p, _ *v1alpha1.VendorPolicy) (field.ErrorList, []string) {
		return policies.ValidateVendorPolicy(p, there.policies.Items), policies.OddVendorPolicy(p, there.vendors.Items)
	}, func(p *v1alpha1.VendorPolicy) []string {
		return k.Preview.Policy(ctx, p, there.vendors.Items, there.policies.Items, there.waivers.Items)
	})
}

func (k *Kinds) waiver(ctx context.Context, review *admissionv1.AdmissionRequest) admission.Response {
	there, err := k.rules(ctx)
	if err != nil {
		return errored(http.StatusInternalServerError, err)
	}
	response := check(review, k.Self, func(w, old *v1alpha1.VendorWaiver) (field.ErrorList, []string) {
		now := k.Clock()
		warnings := append(policies.ExpiredVendorWaiver(w, now), policies.OddVendorWaiver(w, there.vendors.Items)...)
		return policies.ValidateVendorWaiver(w, old, now), warnings
	}, func(w *v1alpha1.VendorWaiver) []string {
		return k.Preview.Waiver(ctx, w, there.vendors.Items, there.policies.Items)
	})
	// spec.approvedBy is what the writer says; this is who the writer was.
	response.AuditAnnotations = map[string]string{annotationWriter: review.UserInfo.Username}
	return response
}

// check validates an object of one of Embargo's kinds, and previews what it would do:
// to whoever can read it, which the controller's own writes have nobody for. One that is
// being deleted, or whose spec and labels stay as they are, is let by whatever it holds:
// what an older version stored must never stand in the way of cleaning up.
func check[T any, O interface {
	*T
	metav1.Object
}](review *admissionv1.AdmissionRequest, self string, validate func(object, old O) (field.ErrorList, []string), preview func(object O) []string) admission.Response {
	decoded, decodedOld, err := decodeBoth[T](review)
	if err != nil {
		return errored(http.StatusBadRequest, err)
	}
	object, old := O(decoded), O(decodedOld)
	if object.GetDeletionTimestamp() != nil || old != nil && sameSpec(object, old) {
		return admission.Allowed("")
	}
	errs, odd := validate(object, old)
	if len(errs) > 0 {
		return refused(review, apierrors.NewInvalid(kindOf(review), object.GetName(), bounded(errs)))
	}
	if review.UserInfo.Username != self {
		odd = append(odd, preview(object)...)
	}
	return admission.Allowed("").WithWarnings(warnings(odd)...)
}

// bounded keeps the first errors, and counts the rest: a list may have thousands of
// patterns, and all of them the same mistake.
func bounded(errs field.ErrorList) field.ErrorList {
	if len(errs) <= maxTold {
		return errs
	}
	rest := field.Invalid(field.NewPath("spec"), field.OmitValueType{}, fmt.Sprintf("and %d more", len(errs)-maxTold))
	return append(errs[:maxTold:maxTold], rest)
}

func decodeBoth[T any](review *admissionv1.AdmissionRequest) (object, old *T, err error) {
	object = new(T)
	if err := json.UnmarshalCaseSensitivePreserveInts(review.Object.Raw, object); err != nil {
		return nil, nil, fmt.Errorf("reading the object: %w", err)
	}
	if len(review.OldObject.Raw) == 0 {
		return object, nil, nil
	}
	old = new(T)
	if err := json.UnmarshalCaseSensitivePreserveInts(review.OldObject.Raw, old); err != nil {
		return nil, nil, fmt.Errorf("reading the old object: %w", err)
	}
	return object, old, nil
}

// sameSpec reports whether all that rules depend on is as it was. The API server
// counts a generation for every change of a spec.
func sameSpec(object, old metav1.Object) bool {
	return object.GetGeneration() == old.GetGeneration() && object.GetGeneration() != 0 &&
		equality.Semantic.DeepEqual(object.GetLabels(), old.GetLabels())
}

func kindOf(review *admissionv1.AdmissionRequest) schema.GroupKind {
	return schema.GroupKind{Group: review.Kind.Group, Kind: review.Kind.Kind}
}

func resource(review *admissionv1.AdmissionRequest) schema.GroupResource {
	return schema.GroupResource{Group: review.Resource.Group, Resource: review.Resource.Resource}
}

// refused passes a typed error on whole, with its reason and causes.
func refused(review *admissionv1.AdmissionRequest, err *apierrors.StatusError) admission.Response {
	status := err.Status()
	return admission.Response{AdmissionResponse: admissionv1.AdmissionResponse{UID: review.UID, Allowed: false, Result: &status}}
}
