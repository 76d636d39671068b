package webhook

import (
	"fmt"

	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"embargo.dev/policies"
	"embargo.dev/policies/workload"
)

// NewRequest returns what an admission request says by itself. What it doesn't
// say (the namespace's labels, what the controller owner carries, and whether the
// user is trusted) is for the caller to fill in.
func NewRequest(review *admissionv1.AdmissionRequest) (policies.Request, error) {
	kind := schema.GroupKind{Group: review.Kind.Group, Kind: review.Kind.Kind}
	object, err := workload.Decode(kind, review.Object.Raw)
	if err != nil {
		return policies.Request{}, fmt.Errorf("request.object: %w", err)
	}
	request := policies.Request{
		Operation:   policies.Operation(review.Operation),
		Subresource: review.SubResource,
		Kind:        kind,
		Namespace:   policies.Namespace{Name: review.Namespace},
		User:        policies.User{Name: review.UserInfo.Username, Groups: review.UserInfo.Groups},
		Object:      object,
	}
	if len(review.OldObject.Raw) > 0 {
		old, err := workload.Decode(kind, review.OldObject.Raw)
		if err != nil {
			return policies.Request{}, fmt.Errorf("request.oldObject: %w", err)
		}
		request.Old = &old
	}
	return request, nil
}
