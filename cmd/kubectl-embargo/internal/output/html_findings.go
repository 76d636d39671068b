package output

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"embargo.dev/internal/escape"
	"embargo.dev/policies/schedule"
)

// findingView is a row of the findings.
type findingView struct {
	Finding

	Class    string
	Object   string
	Place    string
	Anchor   string // of the measure
	Name     string // of the measure
	Since    string
	PhaseOn  string
	NextOn   string
	Waived   string // until when
	Reading  string // how the image was read, where it is not as written
	Policies string
	Citation string // of the measure
}

// findingViews returns the findings, the strongest action first.
func (r *Result) findingViews() []findingView {
	zones := r.zones()
	citations := map[string]string{}
	for _, m := range r.measures() {
		if len(m.Citations) > 0 {
			citations[m.id()] = m.Citations[0].Title
		}
	}
	views := make([]findingView, 0, len(r.Findings))
	for _, f := range r.Findings {
		v := findingView{
			Finding: f, Class: strings.ToLower(string(f.Action)), Object: f.object(), Place: f.File, Policies: strings.Join(f.Policies, ", "),
		}
		if f.Line > 0 {
			v.Place = fmt.Sprintf("%s:%d:%d", f.File, f.Line, f.Column)
		}
		if f.Vendor != "" {
			v.Name, v.Anchor = f.Vendor+"/"+f.Restriction, anchor(f.Vendor, f.Restriction)
		}
		v.Citation = citations[v.Name]
		zone := zones.of(f)
		if f.Effective != nil {
			v.PhaseOn = schedule.Deadline(r.Instant.In(zone), *f.Effective, zone)
		}
		if f.Next != nil {
			v.NextOn = schedule.Deadline(r.Instant.In(zone), f.Next.Effective, zone)
		}
		v.Waived = f.WaiverEnds()
		if f.Since != nil {
			v.Since = day(*f.Since, time.UTC)
		}
		v.Reading = cmp.Or(f.Upstream, f.Canonical)
		v.Image, v.Container, v.Field, v.Place, v.Carrier = printable(f.Image), printable(f.Container), printable(f.Field), escape.Text(v.Place), escape.Text(f.Carrier)
		views = append(views, v)
	}
	slices.SortStableFunc(views, func(a, b findingView) int { return b.Action.Strength() - a.Action.Strength() })
	return views
}

// day shows the day of an instant in a zone.
func day(at time.Time, zone *time.Location) string { return at.In(zone).Format(time.DateOnly) }

// anchor is where a measure stands in the page.
func anchor(vendor, restriction string) string { return "measure-" + vendor + "-" + restriction }
