package audit

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"embargo.dev/audit/inventory"
	"embargo.dev/policies/workload"
)

// Workload is a workload that nothing controls, as the audit knows it.
type Workload struct {
	Kind   schema.GroupKind
	Object workload.Object
}

// Workloads returns up to so many workloads that nothing controls, and whether those are
// all; false at the end where this replica doesn't audit, or hasn't yet.
func (a *Auditor) Workloads(limit int) (found []Workload, all, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.full.IsZero() {
		return nil, false, false
	}
	all = true
	a.inventory.Objects(func(o *inventory.Object) bool {
		if _, owned := o.Owner(); owned {
			return true
		}
		if len(found) == limit {
			all = false
			return false
		}
		found = append(found, workloadOf(o))
		return true
	})
	return found, all, true
}

func workloadOf(o *inventory.Object) Workload {
	object := workload.Object{Name: o.Name, Namespace: o.Namespace.Name, UID: string(o.UID)}
	for i := range o.Body.Places {
		object.Images = append(object.Images, o.Body.Places[i].Image)
	}
	return Workload{Kind: o.Kind.GroupKind(), Object: object}
}
