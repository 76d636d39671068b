package exposure

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"embargo.dev/audit/inventory"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/policies/workload"
)

// Evaluator makes findings under one rule set at one instant.
type Evaluator struct {
	Rules     *policies.RuleSet
	Inventory *inventory.Inventory
	Now       time.Time
	// Last is when everything was last looked at under the same rules; zero: it never was.
	Last time.Time
	// AsOf stands for Now where somebody asks what decisions another instant, or a date,
	// would bring; zero: nobody does.
	AsOf policies.Instant
	// Namespace says what is known of a namespace.
	Namespace func(name string) policies.Namespace
	// Granted returns when a waiver was written, zero where nobody knows; nil: nobody does.
	Granted func(waiver string) time.Time
}

// instant is when decisions are made.
func (e *Evaluator) instant() policies.Instant {
	if e.AsOf == (policies.Instant{}) {
		return policies.At(e.Now)
	}
	return e.AsOf
}

// Suspicious reports whether an image may be anybody's at all, in whatever namespace:
// what is unknown can only make a decision stronger.
func Suspicious(rules *policies.RuleSet, now time.Time) func(*inventory.Body, *workload.Image) bool {
	return func(b *inventory.Body, img *workload.Image) bool {
		return len(unchanged(rules, b.Kind, policies.Namespace{}, img, policies.At(now))) > 0
	}
}

// unchanged evaluates an update that leaves an object with the image as it is.
func unchanged(rules *policies.RuleSet, kind schema.GroupKind, ns policies.Namespace, img *workload.Image, instant policies.Instant) []policies.Finding {
	object := workload.Object{Images: []workload.Image{*img}}
	return rules.Evaluate(policies.Request{Operation: policies.Update, Kind: kind, Namespace: ns, Object: object, Old: &object}, instant).Findings
}

// hit is an image that was found to be somebody's.
type hit struct {
	policies.Finding

	alsoNamed string
	image     workload.Image // as it was evaluated
}

// hits evaluates an image field, and then what runs of it by each other name, as far as
// that tells of more restrictions, or is sure of what the image's own name only suggests.
func (e *Evaluator) hits(b *inventory.Body, p *inventory.Place, ns policies.Namespace) []hit {
	var found []hit
	for _, f := range unchanged(e.Rules, b.Kind, ns, &p.Image, e.instant()) {
		found = append(found, hit{Finding: f, image: p.Image})
	}
	for _, name := range e.Inventory.OtherNames(p) {
		other := p.Image
		other.Value = name
		for _, f := range unchanged(e.Rules, b.Kind, ns, &other, e.instant()) {
			at := slices.IndexFunc(found, func(h hit) bool { return h.Vendor == f.Vendor && h.Restriction == f.Restriction })
			if f.Vendor == "" || at >= 0 && (found[at].Confidence == v1alpha1.ConfidenceConfirmed || f.Confidence != v1alpha1.ConfidenceConfirmed) {
				continue
			}
			f.Image = p.Value
			one := hit{Finding: f, image: other, alsoNamed: name}
			if at < 0 {
				found = append(found, one)
			} else {
				found[at] = one
			}
		}
	}
	return found
}

func (h *hit) sight() v1alpha1.AdmissionSight {
	if h.alsoNamed != "" {
		return v1alpha1.AdmissionCouldNotSee
	}
	return v1alpha1.AdmissionCouldSee
}

// updated evaluates that another digest came under the tag; false where that changes
// nothing.
func (e *Evaluator) updated(b schema.GroupKind, img workload.Image, f *Finding, ns policies.Namespace) (policies.Finding, bool) {
	digests := f.manifestDigests()
	if f.Canonical == "" || len(digests) == 0 {
		return policies.Finding{}, false
	}
	digest := digests[0]
	for _, d := range digests {
		if d != f.UpdatedFrom {
			digest = d
		}
	}
	before, after := img, img
	before.Value, after.Value = f.Canonical+"@"+f.UpdatedFrom, f.Canonical+"@"+digest
	request := policies.Request{
		Operation: policies.Update, Kind: b, Namespace: ns,
		Object: workload.Object{Images: []workload.Image{after}}, Old: &workload.Object{Images: []workload.Image{before}},
	}
	for _, found := range e.Rules.Evaluate(request, e.instant()).Findings {
		if found.Vendor == f.Vendor && found.Restriction == f.Restriction {
			return found, true
		}
	}
	return policies.Finding{}, false
}

// arrival says whether the image came after a phase began, by law, that refuses what is
// newly brought in, and which waiver covered it then.
func (e *Evaluator) arrival(h *hit, ns policies.Namespace, kind schema.GroupKind, at time.Time) (afterBan bool, waiver string) {
	for _, s := range e.Rules.Standings(h.Vendor, at) {
		if s.Restriction == h.Restriction && s.Phase != nil && s.Phase.Introduce == v1alpha1.ActionDeny {
			afterBan = true
		}
	}
	if !afterBan {
		return false, ""
	}
	object := workload.Object{Images: []workload.Image{h.image}}
	request := policies.Request{Operation: policies.Create, Kind: kind, Namespace: ns, Object: object}
	for _, f := range e.Rules.Evaluate(request, policies.At(at)).Findings {
		if f.Vendor == h.Vendor && f.Restriction == h.Restriction && f.Waiver != "" {
			return false, f.Waiver
		}
	}
	return true, ""
}
