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
		above := inv.find(owner, o.Namespace)
		for range maxOwners {
			past, gone := inv.gone[owner.UID]
			if above != nil || !gone {
				break
			}
			owner, above = past, inv.find(past, o.Namespace)
		}
		if above == nil {
			return Top{APIVersion: owner.APIVersion, Kind: owner.Kind, Namespace: o.Namespace.Name, Name: owner.Name, UID: owner.UID}
		}
		o = above
	}
	return Top{
		APIVersion: o.Kind.GroupVersion().String(), Kind: o.Kind.Kind, Namespace: o.Namespace.Name, Name: o.Name, UID: o.UID, Object: o,
	}
}

// Controller returns the controller owner of an object, as admission would find it; nil
// where there is none.
func (inv *Inventory) Controller(o *Object) *Object {
	owner, ok := o.Owner()
	if !ok {
		return nil
	}
	return inv.find(owner, o.Namespace)
}

// find returns the owner that an object in a namespace refers to: of that UID, under the
// kind and the name that the object says, in its namespace or in none. It is nil where there
// is no such owner, where it is of a kind that is not watched, and where the reference is
// forged.
func (inv *Inventory) find(owner Owner, from *Namespace) *Object {
	above := inv.objects[owner.UID]
	if above == nil || above.Name != owner.Name || above.Kind.GroupKind() != owner.GroupKind() {
		return nil
	}
	if above.Namespace.Name != "" && above.Namespace.Name != from.Name {
		return nil
	}
	return above
}

// maxGone bounds how many owners are remembered that are gone.
const maxGone = 10_000

// bury remembers what owned an object that goes: its Pods may take a while to end, and
// are still the same workload's.
func (inv *Inventory) bury(o *Object) {
	owner, owned := o.Owner()
	if o.Pod || !owned || !o.Body.suspect {
		return
	}
	if len(inv.gone) >= maxGone {
		clear(inv.gone)
	}
	inv.gone[o.UID] = owner
}

var nodeKind = schema.GroupKind{Kind: "Node"}
