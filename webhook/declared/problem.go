package declared

import (
	"errors"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"embargo.dev/policies/v1alpha1"
)

// problem is something that is not as the values say.
type problem struct {
	key string
	id  id // zero where the key can't be read
	err error
}

// about returns the object that is meant, for an event, where it is known.
func (p problem) about() runtime.Object {
	if p.id == (id{}) {
		return nil
	}
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(p.id.kind))
	object.SetName(p.id.name)
	return object
}

// reason returns the event's.
func (p problem) reason() string {
	if _, stays := errors.AsType[errStays](p.err); stays {
		return "NotPruned"
	}
	return "NotApplied"
}

// errTaken says why an object is left as it is though the values say otherwise.
type errTaken string

func (e errTaken) Error() string { return string(e) }

// errStays says why an object is there though the values no longer declare it.
type errStays string

func (e errStays) Error() string { return string(e) }
