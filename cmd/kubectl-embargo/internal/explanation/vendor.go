package explanation

import (
	"fmt"
	"strings"

	"embargo.dev/policies/v1alpha1"
)

func (p *page) vendor(v *Vendor) {
	verdict := fmt.Sprintf("%s (%s): evidence %s, %s", v.DisplayName, v.Vendor, v.Evidence, v.Confidence)
	if v.Evidence == "" {
		verdict = fmt.Sprintf("not %s's (%s): an exclusion cancels what matched", v.DisplayName, v.Vendor)
	}
	p.paragraph(2, "Vendor:", verdict)
	if v.Replacement != "" {
		p.paragraph(2, "Replacement:", v.Replacement)
	}
	if v.Evidence == "" {
		return
	}
	var idle []string
	for i := range v.Restrictions {
		r := &v.Restrictions[i]
		if len(r.Policies) == 0 {
			idle = append(idle, fmt.Sprintf("%s (%s)", r.Restriction, r.Audience))
			continue
		}
		p.restriction(r)
	}
	if len(idle) > 0 {
		p.paragraph(2, "Not applied:", "no policy has the audience of "+strings.Join(idle, ", "))
	}
}

func (p *page) restriction(r *Restriction) {
	p.heading(2, fmt.Sprintf("Restriction %s, for %s, under %s", r.Restriction, r.Audience, named("policy", "policies", r.Policies)))
	if !r.Applies {
		p.paragraph(4, "Applies:", "not to this image: appliesTo leaves it out")
		return
	}
	if r.Confidence == string(v1alpha1.ConfidenceSuspected) {
		p.paragraph(4, "Confidence:", "Suspected only, so nothing is refused")
	}
	p.paragraph(4, "In force:", r.inForce())
	p.paragraph(4, "Action:", r.Actions.sentence())
	if r.EarlyPhase != "" {
		p.paragraph(4, "", fmt.Sprintf("a policy's lead time puts %s in force early", r.EarlyPhase))
	}
	for i, w := range r.Waivers {
		p.paragraph(4, "Waiver:", fmt.Sprintf("%s allows it in the namespaces that it selects, until %s", w, r.waiverEnds[i]))
	}
	p.paragraph(4, "Next:", r.next())
	p.paragraph(4, "Authority:", r.Authority)
	for i, c := range r.Citations {
		p.paragraph(4, labelFirst(i, "Citation:"), c.Title+" "+c.URL)
	}
	if r.Scope != "" {
		p.paragraph(4, "Scope:", r.Scope)
	}
}

func (r *Restriction) inForce() string {
	if r.Phase == nil {
		return "nothing yet"
	}
	return r.Phase.sentence("since", r.TimeZone)
}

func (r *Restriction) next() string {
	if r.Next == nil {
		return "nothing is to come"
	}
	return r.Next.sentence("from", r.TimeZone) + "; then " + r.NextActions.sentence()
}

func (p *Phase) sentence(preposition, zone string) string {
	text := fmt.Sprintf("%s %s %s (%s)", p.Phase, preposition, p.shown, zone)
	if p.Summary != "" {
		text += ": " + p.Summary
	}
	if doubt := p.Verification.Doubt(); doubt != "" {
		text += " (date " + doubt + ")"
	}
	return text
}

// named lists names behind the word for them.
func named(one, several string, names []string) string {
	if len(names) == 1 {
		return one + " " + names[0]
	}
	return several + " " + strings.Join(names, ", ")
}
