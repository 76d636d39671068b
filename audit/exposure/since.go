package exposure

import (
	"cmp"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"embargo.dev/audit/inventory"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// age takes the object's age where it tells since when the image is there.
func (one *gathered) age(o *inventory.Object) {
	var from v1alpha1.SinceFrom
	switch o.Kind.GroupKind() {
	case replicaSetKind:
		from = v1alpha1.SinceReplicaSet
	case controllerRevisionKind:
		from = v1alpha1.SinceControllerRevision
	case podKind:
		from = v1alpha1.SincePod
	default:
		return
	}
	one.takeAge(o.Created, from)
}

func (one *gathered) takeAge(created time.Time, from v1alpha1.SinceFrom) {
	if one.oldest.IsZero() || created.Before(one.oldest) || created.Equal(one.oldest) && from > one.oldestIn {
		one.oldest, one.oldestIn = created, from
	}
}

// arrived returns the earliest instant at which the image can have come. The audit may
// have come late, and a Pod may have been made again. But the image surely wasn't there
// before the workload was made or, where that was seen, came to carry it.
func (one *gathered) arrived(since time.Time, from v1alpha1.SinceFrom) time.Time {
	if from != v1alpha1.SinceFirstSeen && from != v1alpha1.SincePod {
		return since
	}
	if came := cmp.Or(one.changed, one.created, since); came.Before(since) {
		return came
	}
	return since
}

// moment is how much later than the audit's first sight of an image an object may have
// been made that tells since when it is there: what is seen first is the owner, and then
// what the owner makes.
const moment = time.Minute

// date finds out since when the image is there, and whether it came after a ban. What
// was found out before stays: objects that told it may be gone.
func (g *gathering) date(f *Finding, one *gathered, before Memory, ns policies.Namespace, kind schema.GroupKind) {
	f.Since, f.SinceFrom = one.oldest, one.oldestIn
	if f.Since.IsZero() {
		f.Since, f.SinceFrom = g.Now.Truncate(time.Second), v1alpha1.SinceFirstSeen
	}
	madeNow := before.SinceFrom == v1alpha1.SinceFirstSeen && f.SinceFrom != v1alpha1.SinceFirstSeen && f.Since.Sub(before.Since) <= moment
	if !before.Since.IsZero() && !f.Since.Before(before.Since) && !madeNow {
		f.Imported = before.Imported && f.Since.After(before.Since)
		f.Since, f.SinceFrom = before.Since, before.SinceFrom
	}
	if f.ArrivalWaiver = before.ArrivalWaiver; f.ArrivalWaiver != "" || before.Covered || f.Vendor == "" {
		return
	}
	arrived := one.arrived(f.Since, f.SinceFrom)
	late := before.ArrivedAfterBan && before.Since.Equal(f.Since)
	if late {
		arrived = f.Since // a change that told so was seen by an earlier audit
	}
	f.ArrivedAfterBan, f.ArrivalWaiver = g.arrival(&one.hit, ns, kind, arrived)
	if late && f.ArrivalWaiver != "" && g.granted(f.ArrivalWaiver).After(arrived) {
		f.ArrivedAfterBan, f.ArrivalWaiver = true, ""
	}
}

// granted returns when a waiver was written; zero where nobody knows.
func (g *gathering) granted(waiver string) time.Time {
	if g.Granted == nil {
		return time.Time{}
	}
	return g.Granted(waiver)
}
