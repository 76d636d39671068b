package output

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"embargo.dev/policies/schedule"
	"embargo.dev/policies/v1alpha1"
)

// measure is a restriction that findings name, with what the list says of it.
type measure struct {
	Vendor      string
	DisplayName string
	Replacement string
	v1alpha1.Restriction

	schedule *schedule.Schedule // nil where the list doesn't say, or it doesn't compile
	findings []Finding
}

// id names the measure.
func (m *measure) id() string { return m.Vendor + "/" + m.Name }

// measures returns the restrictions that findings name, by vendor and name.
func (r *Result) measures() []*measure {
	known := map[string]*measure{}
	for _, f := range r.Findings {
		if f.Vendor == "" {
			continue
		}
		m := &measure{Vendor: f.Vendor, DisplayName: f.Vendor, Restriction: v1alpha1.Restriction{Name: f.Restriction}}
		if first, ok := known[m.id()]; ok {
			m = first
		} else {
			m.describe(r.Vendors)
			known[m.id()] = m
		}
		m.findings = append(m.findings, f)
	}
	list := make([]*measure, 0, len(known))
	for _, m := range known {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b *measure) int { return cmp.Or(cmp.Compare(a.Vendor, b.Vendor), cmp.Compare(a.Name, b.Name)) })
	return list
}

// describe fills in what the list says.
func (m *measure) describe(vendors []v1alpha1.RestrictedVendor) {
	for i := range vendors {
		v := &vendors[i]
		if v.Name != m.Vendor {
			continue
		}
		m.DisplayName, m.Replacement = v.Spec.DisplayName, v.Spec.Replacement
		for j := range v.Spec.Restrictions {
			if r := &v.Spec.Restrictions[j]; r.Name == m.Name {
				m.Restriction = *r
				m.schedule, _ = schedule.Compile(field.NewPath("spec"), r.TimeZone, r.Schedule)
				return
			}
		}
	}
}

// zones are those in which the days of measures are counted, by their ids.
type zones map[string]*time.Location

func (r *Result) zones() zones {
	known := zones{}
	for _, m := range r.measures() {
		if m.schedule != nil {
			known[m.id()] = m.schedule.Zone()
		}
	}
	return known
}

// of is the zone of a finding's measure, UTC where that isn't known.
func (z zones) of(f Finding) *time.Location {
	return cmp.Or(z[f.Vendor+"/"+f.Restriction], time.UTC)
}

// url is where the text of the measure can be read, "" where that isn't known. A list may
// hold what a browser would take but no reader of URIs does.
func (m *measure) url() string {
	if len(m.Citations) == 0 {
		return ""
	}
	u, err := url.Parse(strings.TrimSpace(m.Citations[0].URL))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return u.String()
}

// day shows when a phase begins: as a day in the measure's zone or, where it doesn't begin
// with a day, as an instant.
func (m *measure) day(p *schedule.Phase) string {
	if _, err := time.Parse(time.DateOnly, p.Effective); err == nil {
		return p.Effective
	}
	return schedule.Clock(p.Instant, m.schedule.Zone())
}

// dayAt is the same for somebody who reads it at an instant: what is near has its time
// and what is left.
func (m *measure) dayAt(p *schedule.Phase, now time.Time) string {
	if schedule.Near(now, p.Instant) {
		return schedule.Deadline(now, p.Instant, m.schedule.Zone())
	}
	return m.day(p)
}
