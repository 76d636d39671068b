package inventory

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// Top is the topmost owner of an object: the workload that people know.
type Top struct {
	APIVersion, Kind, Namespace, Name string
	UID                               types.UID
	// Object is nil where the owner is of a kind that is not watched: all that is
	// known of it is what its children say.
	Object *Object
}

// maxOwners bounds how many owners stand one above the other.
const maxOwners = 10

// Top returns the topmost owner of an object, itself where it has none. The node that
// owns a mirror Pod is no workload.
func (inv *Inventory) Top(o *Object) Top {
	for range maxOwners {
		owner, ok := o.Owner()
		if !ok || owner.GroupKind() == nodeKind {
			break
		}
		above := inv.Controller(o)
		if above == nil {
			return Top{APIVersion: owner.APIVersion, Kind: owner.Kind, Namespace: o.Namespace.Name, Name: owner.Name, UID: owner.UID}
		}
		o = above
	}
	return Top{
		APIVersion: o.Kind.GroupVersion().String(), Kind: o.Kind.Kind, Namespace: o.Namespace.Name, Name: o.Name, UID: o.UID, Object: o,
	}
}

// Controller returns the controller owner of an object, as admission would find it: of that
// UID, under the kind and the name that the object says, in the object's namespace or in
// none. It is nil where there is no such owner, where it is of a kind that is not watched,
// and where the reference is forged.
func (inv *Inventory) Controller(o *Object) *Object {
	owner, ok := o.Owner()
	if !ok {
		return nil
	}
	above := inv.objects[owner.UID]
	if above == nil || above.Name != owner.Name || above.Kind.GroupKind() != owner.GroupKind() {
		return nil
	}
	if above.Namespace.Name != "" && above.Namespace.Name != o.Namespace.Name {
		return nil
	}
	return above
}

var nodeKind = schema.GroupKind{Kind: "Node"}
