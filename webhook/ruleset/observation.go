package ruleset

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"embargo.dev/internal/display"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/webhook/registration"
)

// Condition types; the words are the API's.
const (
	conditionCompiled     = "Compiled"
	conditionRecognisable = "Recognisable"
	conditionApplied      = "Applied"
	conditionEnforced     = "Enforced"
	conditionReady        = "Ready"
	conditionActive       = "Active"
	conditionExpired      = "Expired"
	conditionClockSkew    = "ClockSkew"
	conditionPrefiltered  = "Prefiltered"
	conditionAudited      = "Audited"
)

// observation is what the statuses are written from.
type observation struct {
	compiled     *Compiled
	now          time.Time
	namespaces   []policies.Namespace
	resources    []string // nil while nobody has looked
	registration registration.State
	skewed       bool
	ahead        time.Duration
	tally        *policies.Tally // nil while the audit hasn't counted
}

func (o *observation) vendor(v *v1alpha1.RestrictedVendor) {
	s := &v.Status
	s.ObservedGeneration = v.Generation
	problems := o.problems("RestrictedVendor", v.Name)
	set(&s.Conditions, v.Generation, conditionCompiled, problems == "", "Compiled", "DoesNotCompile", "all of it is in force", problems)
	set(&s.Conditions, v.Generation, conditionRecognisable, o.compiled.Rules.Recognises(v.Name), "HasImages", "NoImages",
		"images of the vendor can be recognised", "spec.images has no pattern or digest that can be used: no image is found to be this vendor's")
	idle := o.compiled.Rules.IdleVendor(v.Name)
	set(&s.Conditions, v.Generation, conditionApplied, idle.Reason == "", "Applied", idle.Reason, "some VendorPolicy applies a restriction of this vendor", idle.Message)
	if idle.Reason == policies.ReasonNotApplied {
		idle = policies.Idle{} // other vendors may be enforced, and this one is as far as it is wanted
	}
	o.setEnforced(&s.Conditions, v.Generation, idle)
	standings := o.compiled.Rules.Standings(v.Name, o.now)
	s.Restrictions = restrictionStatuses(v, standings)
	workloads, namespaces := s.Summary.Workloads, s.Summary.Namespaces
	s.Summary = summary(standings)
	s.Summary.Enforced = enforced(s.Conditions)
	if s.Summary.Found = unfindable(s.Conditions); s.Summary.Found != "" {
		return // 0 would say that the audit looked for it
	}
	s.Summary.Workloads, s.Summary.Namespaces = workloads, namespaces
	if o.tally != nil {
		found := o.tally.Vendors[v.Name]
		s.Summary.Workloads, s.Summary.Namespaces = &found.Workloads, &found.Namespaces
	}
	if s.Summary.Workloads != nil {
		s.Summary.Found = strconv.Itoa(int(*s.Summary.Workloads))
	}
}

// unfindable says in a word, for a column, why nothing is found of a vendor, whatever runs; ""
// where something can be.
func unfindable(conditions []metav1.Condition) string {
	for _, kind := range []string{conditionRecognisable, conditionApplied} {
		if c := meta.FindStatusCondition(conditions, kind); c != nil && c.Status == metav1.ConditionFalse {
			return c.Reason
		}
	}
	return ""
}

// enforced says in a word, for a column, whether admission follows a vendor's restrictions, or
// what keeps it from that.
func enforced(conditions []metav1.Condition) string {
	if reason := unfindable(conditions); reason != "" {
		return reason
	}
	c := meta.FindStatusCondition(conditions, conditionEnforced)
	switch {
	case c == nil || c.Status == metav1.ConditionUnknown:
		return string(metav1.ConditionUnknown)
	case c.Status == metav1.ConditionFalse:
		return c.Reason
	case !meta.IsStatusConditionTrue(conditions, conditionCompiled):
		return "Partly"
	default:
		return string(metav1.ConditionTrue)
	}
}

// restrictionStatuses keeps the order of the spec.
func restrictionStatuses(v *v1alpha1.RestrictedVendor, standings []policies.Standing) []v1alpha1.RestrictionStatus {
	var statuses []v1alpha1.RestrictionStatus
	for i := range v.Spec.Restrictions {
		name := v.Spec.Restrictions[i].Name
		at := slices.IndexFunc(standings, func(s policies.Standing) bool { return s.Restriction == name })
		if at < 0 {
			continue
		}
		status := v1alpha1.RestrictionStatus{Name: name}
		if phase := standings[at].Phase; phase != nil {
			status.Phase = phase.Phase.Phase
		}
		if next := standings[at].Next; next != nil {
			effective := metav1.NewTime(next.Instant)
			status.NextPhase, status.NextEffective = next.Phase.Phase, &effective
		}
		statuses = append(statuses, status)
	}
	return statuses
}

// summary is the line that kubectl get shows: of the restriction that matters
// most.
func summary(standings []policies.Standing) v1alpha1.RestrictedVendorSummary {
	s := v1alpha1.RestrictedVendorSummary{Restrictions: int32(len(standings))} // the API bounds the list
	if len(standings) == 0 {
		return s
	}
	first := standings[0]
	s.Restriction = first.Restriction
	if first.Phase != nil {
		s.Phase = first.Phase.Phase.Phase
	}
	if first.Next != nil {
		s.Next, s.NextOn = first.Next.Phase.Phase, first.Next.Instant.In(first.Zone).Format(time.DateOnly)
	}
	return s
}

func (o *observation) policy(p *v1alpha1.VendorPolicy) {
	s := &p.Status
	s.ObservedGeneration = p.Generation
	idle := o.compiled.Rules.IdlePolicy(p.Name)
	reason, problems := o.readiness(p, idle)
	set(&s.Conditions, p.Generation, conditionReady, problems == "", "Ready", reason, "all of the policy compiles, and each of its audiences has restrictions", problems)
	o.setEnforced(&s.Conditions, p.Generation, idle)
	set(&s.Conditions, p.Generation, conditionClockSkew, o.skewed, "ClocksApart", "ClocksAgree",
		"the leader's clock is "+o.ahead.Round(time.Second).String()+" ahead of the API server's; phases begin by each replica's clock", "the leader's clock agrees with the API server's")
	o.setPrefiltered(&s.Conditions, p.Generation)
	o.setAudited(&s.Conditions, p.Generation)
	s.Vendors = int32(o.compiled.Rules.SelectedVendors(p.Name)) // far fewer
	if o.resources != nil {
		s.Resources = o.resources
	}
	if o.tally != nil {
		found := o.tally.Policies[p.Name]
		s.Findings = &found
	}
	s.Namespaces = 0
	for _, ns := range o.namespaces {
		if o.compiled.Rules.Covers(p.Name, ns) {
			s.Namespaces++
		}
	}
}

// setAudited says whether the reports tell of all that runs: of a kind that nobody let
// Embargo read they can't.
func (o *observation) setAudited(conditions *[]metav1.Condition, generation int64) {
	if o.tally == nil {
		return // nobody has looked, or the audit is off
	}
	const shown = 10
	names := o.tally.Unread
	list := strings.Join(names[:min(len(names), shown)], ", ")
	if len(names) > shown {
		list += fmt.Sprintf(" and %d more", len(names)-shown)
	}
	set(conditions, generation, conditionAudited, len(names) == 0, "AllRead", "Unread", "every resource that carries images is read",
		"what these run is not in the reports, since Embargo can't read them: "+list+"; grant get, list and watch by a ClusterRole with the label rbac.authorization.k8s.io/aggregate-to-view, or embargo.dev/aggregate-to-audit with rbac.read=workloads")
}

// readiness says what keeps a policy from doing all that it says: parts that don't compile,
// that it applies nothing, or audiences that no restriction is for.
func (o *observation) readiness(p *v1alpha1.VendorPolicy, idle policies.Idle) (reason, problems string) {
	problems = o.problems("VendorPolicy", p.Name)
	switch {
	case problems != "":
		return policies.ReasonDoesNotCompile, problems
	case idle.Reason != "":
		return idle.Reason, idle.Message
	default:
		return "IdleAudiences", strings.Join(policies.OddVendorPolicy(p, o.compiled.Source.Vendors), "; ")
	}
}

func (o *observation) waiver(w *v1alpha1.VendorWaiver) {
	s := &w.Status
	s.ObservedGeneration = w.Generation
	expired := !w.Spec.Expires.After(o.now)
	problems := o.problems("VendorWaiver", w.Name)
	if problems == "" {
		problems = strings.Join(policies.UnknownReferences(w, o.compiled.Source.Vendors), "; ")
	}
	if expired {
		problems = "it has expired"
	}
	set(&s.Conditions, w.Generation, conditionActive, problems == "", "Live", "NotLive", "findings that it covers are audited only", problems)
	until := w.Spec.Expires.UTC().Format(time.RFC3339)
	set(&s.Conditions, w.Generation, conditionExpired, expired, "Expired", "Live", "it expired at "+until, "it expires at "+until)
	if o.tally != nil {
		covered := o.tally.Waivers[w.Name]
		s.Findings = &covered
	}
}

// setEnforced says whether the API server asks about workloads by a configuration that
// covers the object. One that an earlier configuration covers as it is stays enforced
// while others change, so that their change isn't a change of all statuses. Nor is a change
// of leaders: what was said stays until the new one has looked. Whatever the API server asks,
// nothing is enforced where no policy applies any restriction.
func (o *observation) setEnforced(conditions *[]metav1.Condition, generation int64, idle policies.Idle) {
	r := o.registration
	if idle.Reason != "" {
		set(conditions, generation, conditionEnforced, false, "", idle.Reason, "", idle.Message)
		return
	}
	if r.Outcome == registration.Unknown {
		setUnknown(conditions, generation, conditionEnforced, r.Reason)
		return
	}
	covers := r.RuleSet == o.compiled.Rules.Digest()
	if r.Registered() && !covers && isTrue(*conditions, conditionEnforced, generation) {
		return
	}
	reason := r.Reason
	if r.Registered() && !covers {
		reason = "the webhook configuration doesn't cover the latest rule set yet"
	}
	set(conditions, generation, conditionEnforced, r.Registered() && covers, "Registered", "NotRegistered",
		"the API server asks Embargo about workloads", reason)
}

// setPrefiltered says whether the API server keeps clean requests away from Embargo.
func (o *observation) setPrefiltered(conditions *[]metav1.Condition, generation int64) {
	r := o.registration
	if r.Outcome == registration.Unknown {
		setUnknown(conditions, generation, conditionPrefiltered, r.Reason)
		return
	}
	reason, message := "NoPrefilter", "every request for a workload is sent, and admitted while Embargo is down: "+r.Unfiltered
	if !r.Registered() {
		reason, message = "NotRegistered", r.Reason
	}
	set(conditions, generation, conditionPrefiltered, r.Registered() && r.Prefilter != "", "InForce", reason, r.Prefilter, message)
}

// isTrue reports whether a condition holds of an object as it is.
func isTrue(conditions []metav1.Condition, kind string, generation int64) bool {
	c := meta.FindStatusCondition(conditions, kind)
	return c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration == generation
}

// problems joins what doesn't compile of an object, at most a few in words.
func (o *observation) problems(kind, name string) string {
	const shown = 5
	var texts []string
	for _, p := range o.compiled.Problems {
		if p.Kind == kind && p.Name == name {
			texts = append(texts, p.Err.Error())
		}
	}
	if len(texts) > shown {
		texts = append(texts[:shown], fmt.Sprintf("and %d more", len(texts)-shown))
	}
	return strings.Join(texts, "; ")
}

// setUnknown says of a condition that nobody knows yet whether it holds, unless somebody
// has said so before.
func setUnknown(conditions *[]metav1.Condition, generation int64, kind, message string) {
	if meta.FindStatusCondition(*conditions, kind) == nil {
		meta.SetStatusCondition(conditions, metav1.Condition{Type: kind, Status: metav1.ConditionUnknown, ObservedGeneration: generation, Reason: "NotLookedYet", Message: message})
	}
}

// set sets a condition to one of its two faces.
func set(conditions *[]metav1.Condition, generation int64, kind string, holds bool, reason, otherReason, message, otherMessage string) {
	c := metav1.Condition{Type: kind, Status: metav1.ConditionTrue, ObservedGeneration: generation, Reason: reason, Message: message}
	if !holds {
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, otherReason, otherMessage
	}
	const most = 32768 // of metav1.Condition
	c.Message = display.Truncate(c.Message, most)
	meta.SetStatusCondition(conditions, c)
}
