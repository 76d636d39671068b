package policies

import (
	"cmp"
	"time"

	"embargo.dev/policies/schedule"
	"embargo.dev/policies/v1alpha1"
)

// Evaluate decides a request at an instant.
func (rs *RuleSet) Evaluate(request Request, instant Instant) Decision {
	e := &evaluation{
		set:        rs,
		request:    &request,
		instant:    instant,
		policies:   rs.policiesFor(request.Namespace),
		precedents: precedents{request: &request, set: rs},
	}
	decision := Decision{Instant: instant, RuleSet: rs.digest, Action: v1alpha1.ActionAllow}
	if len(e.policies) == 0 || request.Operation == Delete {
		return decision
	}
	for _, field := range request.Object.Images {
		decision.Findings = append(decision.Findings, e.image(readImage(field, request.isCustom()))...)
	}
	for i := range decision.Findings {
		f := &decision.Findings[i]
		f.Message = f.sentence()
		decision.Action = decision.Action.Stronger(f.Action)
	}
	return decision
}

// policiesFor returns the policies that apply in the namespace, by name.
func (rs *RuleSet) policiesFor(ns Namespace) []*policy {
	var selected []*policy
	for _, p := range rs.policies {
		if p.namespaces.mayCover(ns) {
			selected = append(selected, p)
		}
	}
	return selected
}

// evaluation is one request being decided.
type evaluation struct {
	set        *RuleSet
	request    *Request
	instant    Instant
	policies   []*policy
	precedents precedents
}

func (e *evaluation) image(img image) []Finding {
	if img.problem != "" {
		return []Finding{e.unread(img)}
	}
	rec := e.set.recognise(img.reference)
	var findings []Finding
	for _, v := range rec.vendors {
		for _, r := range v.restrictions {
			if f, ok := e.restriction(img, &rec, v, r); ok {
				findings = append(findings, f)
			}
		}
	}
	return findings
}

// unread is the finding of an image that can't be read: whose it is can't be
// told, so it stands for every vendor, and never denies.
func (e *evaluation) unread(img image) Finding {
	f := newFinding(img)
	f.Evidence = img.problem
	f.EvaluatedAt = e.instant.In(time.UTC)
	f.Use = e.precedents.useOfUnread(img)
	f.measure = measure{list: img.List, reason: img.reason}
	wanted := v1alpha1.ActionWarn
	if img.problem == EvidenceUnresolved {
		wanted = v1alpha1.ActionAudit
	}
	f.Action = v1alpha1.ActionAudit
	for _, p := range e.policies {
		f.Policies = append(f.Policies, p.name)
		f.Action = f.Action.Stronger(wanted.Weaker(p.ceiling))
	}
	return f
}

func newFinding(img image) Finding {
	return Finding{Container: img.Name, Field: img.Field, Image: img.Value}
}

// restriction decides one restriction for one image; false where there is no
// finding.
func (e *evaluation) restriction(img image, rec *recognition, v *vendor, r *restriction) (Finding, bool) {
	found, ok := rec.evidenceOf(v, r)
	if !ok {
		return Finding{}, false
	}
	c := e.candidacy(v, r)
	c.proof = found
	c.waiver, c.expired = e.waiverFor(v, r, rec.waivedBy)
	c.possible, _ = e.waiverFor(v, r, rec.mayBeWaivedBy)
	c.use = e.precedents.useOf(img, rec, v)
	best, names := c.strongest()
	if best == nil {
		return Finding{}, false
	}
	f := newFinding(img)
	f.Canonical, f.Upstream = img.reference.String(), rec.upstream()
	f.Policies = names
	c.fill(&f, best)
	f.measure.list = img.List
	if f.Action == v1alpha1.ActionDeny {
		f.measure.beside, f.measure.besideImages = e.waiverBeside(rec, v, r)
	}
	return f, true
}

// candidacy is one image × one restriction, before the policies are heard.
type candidacy struct {
	*evaluation

	vendor      *vendor
	restriction *restriction
	proof       proof
	use         Use
	now         time.Time // in the restriction's zone
	real        time.Time // by which waivers are compared: in UTC
	waiver      *waiver   // live
	possible    *waiver   // covers the image if the open tag or digest turns out to be one that the waiver names
	expired     *waiver   // would cover it if it were live
}

// candidacy is that of an image not known yet, at the instant of the request: where
// that is a date, another one for each zone.
func (e *evaluation) candidacy(v *vendor, r *restriction) candidacy {
	return candidacy{evaluation: e, vendor: v, restriction: r, now: e.instant.In(r.schedule.Zone()), real: e.instant.In(time.UTC)}
}

// at is the same candidacy at another instant.
func (c *candidacy) at(instant time.Time) candidacy {
	then := *c
	then.now, then.real = instant, instant
	return then
}

// action is the strongest that policies take for a use.
func (c *candidacy) action(use Use) v1alpha1.Action {
	as := *c
	as.use = use
	if best, _ := as.strongest(); best != nil {
		return best.action
	}
	return v1alpha1.ActionAllow
}

// ruling is what one policy makes of a candidacy.
type ruling struct {
	policy *policy
	phase  *schedule.Phase
	next   *schedule.Phase
	action v1alpha1.Action
}

// strongest hears every policy and returns the strongest ruling, and the names
// of all policies that see a finding. Of equally strong ones the shortest lead
// time counts, so that a message says "early" only where it is.
func (c *candidacy) strongest() (*ruling, []string) {
	var (
		best  *ruling
		names []string
	)
	for _, p := range c.policies {
		if !p.binds(c.vendor, c.restriction) {
			continue
		}
		phase, next := c.restriction.schedule.At(c.now, p.leadDays)
		if phase == nil || asks(phase, c.use) == v1alpha1.ActionAllow {
			continue
		}
		names = append(names, p.name)
		r := &ruling{policy: p, phase: phase, next: next, action: c.weaken(asks(phase, c.use), p)}
		if best == nil || r.stronger(best) {
			best = r
		}
	}
	return best, names
}

func (r *ruling) stronger(than *ruling) bool {
	if order := cmp.Compare(r.action.Strength(), than.action.Strength()); order != 0 {
		return order > 0
	}
	return r.policy.leadDays < than.policy.leadDays
}

// asks returns what a phase asks for a use.
func asks(phase *schedule.Phase, use Use) v1alpha1.Action {
	switch use {
	case UseContinue:
		return phase.Continue
	case UseUpdate:
		return phase.Update
	default:
		return phase.Introduce
	}
}

// weaken takes what a phase asks down to what the policy lets it do.
func (c *candidacy) weaken(action v1alpha1.Action, p *policy) v1alpha1.Action {
	action = action.Weaker(p.ceiling)
	if c.confidence() == v1alpha1.ConfidenceSuspected || c.request.neverDenied() || c.use == UseContinue && c.request.Operation == Update {
		action = action.Weaker(v1alpha1.ActionWarn)
	}
	if c.waiver != nil && c.waiver.expires.After(c.real) {
		action = action.Weaker(v1alpha1.ActionAudit)
	}
	return action
}

// confidence is a suspicion also while a waiver may cover the image.
func (c *candidacy) confidence() v1alpha1.Confidence {
	live := func(w *waiver) bool { return w != nil && w.expires.After(c.real) }
	if live(c.possible) && !live(c.waiver) {
		return v1alpha1.ConfidenceSuspected
	}
	return c.proof.confidence
}

// waiverFor returns the live waiver that covers the image for longest, and, where
// there is none, one that did until it expired.
func (e *evaluation) waiverFor(v *vendor, r *restriction, covers func(*waiver) bool) (live, expired *waiver) {
	var covering *waiver
	for _, w := range e.set.waivers {
		if !w.covers(v, r) || !covers(w) || !w.namespaces.surelyCovers(e.request.Namespace) {
			continue
		}
		if covering == nil || w.expires.After(covering.expires) {
			covering = w
		}
	}
	if covering == nil || covering.expires.After(e.instant.In(time.UTC)) {
		return covering, nil
	}
	return nil, covering
}

// waiverBeside returns the live waiver that covers another tag or digest of the image for
// longest, and its pattern.
func (e *evaluation) waiverBeside(rec *recognition, v *vendor, r *restriction) (*waiver, string) {
	var (
		beside  *waiver
		pattern string
	)
	for _, w := range e.set.waivers {
		if !w.covers(v, r) || !w.expires.After(e.instant.In(time.UTC)) || !w.namespaces.surelyCovers(e.request.Namespace) {
			continue
		}
		p, found := rec.waivedInAnotherVersion(w)
		if found && (beside == nil || w.expires.After(beside.expires)) {
			beside, pattern = w, p
		}
	}
	return beside, pattern
}

// fill writes what the ruling makes of the candidacy into the finding.
func (c *candidacy) fill(f *Finding, r *ruling) {
	effective := r.phase.Instant
	f.Vendor, f.Restriction, f.Phase = c.vendor.name, c.restriction.name, r.phase.Phase.Phase
	f.Effective, f.EvaluatedAt = &effective, c.now
	f.Use, f.Action = c.use, r.action
	f.Evidence, f.Confidence = c.proof.evidence, c.confidence()
	f.measure = measure{
		displayName:  c.vendor.displayName,
		replacement:  c.vendor.replacement,
		summary:      r.phase.Summary,
		citation:     c.restriction.citation,
		zone:         c.restriction.schedule.Zone(),
		leadDays:     r.policy.leadDays,
		verification: r.phase.Verification,
		realTime:     c.real,
	}
	if c.waiver != nil {
		f.Waiver, f.measure.waiverExpires = c.waiver.name, c.waiver.expires
	}
	if c.expired != nil {
		f.measure.expiredWaiver, f.measure.waiverExpires = c.expired.name, c.expired.expires
	}
	if r.next != nil {
		begins := r.next.Begins(r.policy.leadDays)
		then := c.at(begins)
		f.Next = &NextPhase{
			Phase: r.next.Phase.Phase, Effective: r.next.Instant, Action: then.action(c.use),
			Begins: begins, On: date(r.next.Instant, c.restriction.schedule.Zone()),
		}
	}
	if f.Action != v1alpha1.ActionDeny {
		c.foresee(&f.measure)
	}
}
