package webhook

import (
	"bytes"
	"errors"
	"fmt"

	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"embargo.dev/policies"
	"embargo.dev/policies/workload"
)

// NewRequest returns what an admission request says by itself. What it doesn't
// say (the namespace's labels, what the controller owner carries, and whether the
// user is trusted) is for the caller to fill in. A request that lacks what every one
// has is an error: it would be admitted for having no images.
func NewRequest(review *admissionv1.AdmissionRequest) (policies.Request, error) {
	if err := complete(review); err != nil {
		return policies.Request{}, err
	}
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

// complete reports what a request lacks.
func complete(review *admissionv1.AdmissionRequest) error {
	switch review.Operation {
	case admissionv1.Create, admissionv1.Update:
		if raw := bytes.TrimSpace(review.Object.Raw); len(raw) == 0 || string(raw) == "null" {
			return fmt.Errorf("request.object: Required value: a %s has one", review.Operation)
		}
	case admissionv1.Delete, admissionv1.Connect:
	default:
		return errOperation(review.Operation)
	}
	if review.Kind.Kind == "" {
		return errors.New("request.kind: Required value")
	}
	return nil
}

// errOperation is an operation that there is none of.
type errOperation admissionv1.Operation

func (e errOperation) Error() string {
	return fmt.Sprintf("request.operation: %q; want CREATE, UPDATE, DELETE or CONNECT", string(e))
}
