package output

import (
	"fmt"
	"io"
	"strings"
	"time"

	"embargo.dev/internal/display"
	"embargo.dev/internal/escape"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// forecastPage is a page with what is to come.
type forecastPage struct {
	page

	Transitions []transitionView
	Nothing     string // where there is no transition
}

// transitionView is a transition in the page.
type transitionView struct {
	Transition

	Day     string
	Left    string
	Instant string
	Class   string
	Rows    []affectedView
}

// affectedView is a row of what is affected.
type affectedView struct {
	Affected

	Object  string
	Class   string
	Anchor  string
	SinceOn string
	Words   string
}

// forecastHTML writes a page that needs nothing but itself. Timelines and exposure are
// of what is affected.
func forecastHTML(w io.Writer, f *Forecast, _ bool) error {
	r := f.asResult()
	p := forecastPage{page: page{
		Policy: contentPolicy(), Style: pageCSS, Script: pageJS, Live: true,
		Verdict:  f.verdict(),
		Problems: allVisible(problems(f.Errors)), Notices: allVisible(f.Notices),
		Tiles:    f.tiles(),
		Facts:    append([]fact{{Name: "Until", Value: f.Until}}, r.facts()...),
		Exposure: r.exposure(),
	}}
	p.Title = "Embargo: " + p.Verdict.Title
	switch {
	case len(f.Transitions) > 0:
	case f.unread():
		p.Nothing = "Unknown: nothing could be read."
	case len(f.Errors) > 0:
		p.Nothing = "No phase begins, and no waiver expires, in what could be read. The rest is unknown."
	default:
		p.Nothing = "No phase begins, and no waiver expires."
	}
	for _, m := range r.measures() {
		p.Measures = append(p.Measures, m.view(r))
	}
	for _, t := range f.Transitions {
		p.Transitions = append(p.Transitions, t.view())
	}
	return pageTemplates().ExecuteTemplate(w, "forecast.html", p)
}

// asResult takes what is affected for the findings of an audit.
func (f *Forecast) asResult() *Result {
	r := &Result{
		Kind: KindAudit, AsOf: f.AsOf, RuleSet: f.RuleSet, Notices: f.Notices, Clusters: f.Clusters, Errors: f.Errors, Background: f.Background,
		Summary: Summary{Objects: f.Summary.Objects, Images: f.Summary.Images},
	}
	for _, t := range f.Transitions {
		for _, a := range t.Affected {
			a.Next = &policies.NextPhase{Effective: t.At}
			r.Findings = append(r.Findings, a.Finding)
		}
	}
	return r
}

func (f *Forecast) verdict() verdict {
	v := verdict{Class: "clean", Title: "Nothing that runs is newly affected", Text: f.sentence()}
	switch {
	case f.Summary.Workloads > 0:
		v.Class = strings.ToLower(string(f.Strongest()))
		v.Title = fmt.Sprintf("%s newly affected until %s", display.Count(f.Summary.Workloads, "running workload"), f.Until)
	case f.unread():
		v.Class, v.Title = "warn", "Unknown: nothing could be read"
	case len(f.Errors) > 0:
		v.Class, v.Title = "warn", "Nothing is newly affected in what could be read"
	}
	return v
}

// tiles count workloads by what is done about them. Of what could not be read there is
// no count.
func (f *Forecast) tiles() []tile {
	if f.unread() {
		return nil
	}
	refused, warned := map[Image]bool{}, map[Image]bool{}
	for _, a := range f.affected() {
		if a.Action == v1alpha1.ActionDeny {
			refused[a.workload()] = true
		} else {
			warned[a.workload()] = true
		}
	}
	return []tile{
		{"deny", "workloads with refusals", len(refused)}, {"warn", "workloads with warnings", len(warned)},
		{"", "transitions", len(f.Transitions)}, {"", "images evaluated", f.Summary.Images}, {"", "objects read", f.Summary.Objects},
	}
}

func (t Transition) view() transitionView {
	v := transitionView{Transition: t, Day: t.on(), Left: t.left(), Instant: instant(&t.At), Class: "audit"}
	strongest := v1alpha1.ActionAllow
	for _, a := range t.Affected {
		a.Image, a.Container, a.Name, a.Carrier = printable(a.Image), printable(a.Container), printable(a.Name), escape.Text(a.Carrier)
		row := affectedView{
			Affected: a, Object: a.object(), Class: strings.ToLower(string(a.Action)), Anchor: anchor(a.Vendor, a.Restriction),
			Words: strings.Join(a.Effects, ", "),
		}
		if a.Since != nil {
			row.SinceOn = day(*a.Since, time.UTC)
		}
		strongest = strongest.Stronger(a.Action)
		v.Rows = append(v.Rows, row)
	}
	if strongest != v1alpha1.ActionAllow {
		v.Class = strings.ToLower(string(strongest))
	}
	return v
}
