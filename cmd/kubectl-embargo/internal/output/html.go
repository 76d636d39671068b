package output

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"embargo.dev/policies/v1alpha1"
)

//go:embed html/page.css
var pageStyle string

//go:embed html/page.js
var pageScript string

//go:embed html/page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page is what the page shows, in its order.
type page struct {
	Policy   string // what the browser may load: nothing but the style and the script
	Style    template.CSS
	Script   template.JS
	Title    string
	Live     bool
	Verdict  verdict
	Tiles    []tile
	Problems []string
	Facts    []fact
	Notices  []string
	Measures []measureView
	Exposure []exposureView
	Findings []findingView
	Vendors  []string // of the findings, to filter by
}

type tile struct {
	Class, Name string
	Count       int
}

type fact struct {
	Name, Value string
	Code        bool
}

// printHTML writes a page that needs nothing but itself.
func printHTML(w io.Writer, r *Result, _ bool) error {
	p := page{
		Policy: fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", hash(pageStyle), hash(pageScript)),
		Style:  template.CSS(pageStyle), Script: template.JS(pageScript), //nolint:gosec // both are our own
		Live:     r.live(),
		Verdict:  r.verdict(),
		Problems: r.Problems, Notices: r.Notices,
		Tiles: []tile{
			{"deny", "Deny", r.Summary.Deny}, {"warn", "Warn", r.Summary.Warn}, {"audit", "Audit", r.Summary.Audit},
			{"", "images evaluated", r.Summary.Images}, {"", "objects read", r.Summary.Objects},
		},
		Facts:    r.facts(),
		Exposure: r.exposure(),
		Findings: r.findingViews(),
	}
	p.Title = "Embargo: " + p.Verdict.Title
	measures := r.measures()
	slices.SortStableFunc(measures, func(a, b *measure) int { return strongest(b.findings).Strength() - strongest(a.findings).Strength() })
	for _, m := range measures {
		p.Measures = append(p.Measures, m.view(r))
	}
	for _, f := range p.Findings {
		if f.Vendor != "" && !slices.Contains(p.Vendors, f.Vendor) {
			p.Vendors = append(p.Vendors, f.Vendor)
		}
	}
	slices.Sort(p.Vendors)
	return pageTemplate.Execute(w, p)
}

// hash names a text as a content security policy does.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func (r *Result) facts() []fact {
	facts := []fact{{Name: "As of", Value: r.asOf()}}
	add := func(known bool, name, value string) {
		if known {
			facts = append(facts, fact{Name: name, Value: value})
		}
	}
	add(!r.Made.IsZero(), "Made", r.Made.UTC().Format("2006-01-02 15:04 UTC"))
	add(r.Version != "", "Made by", "kubectl-embargo "+r.Version)
	add(true, "Fails at", cmp.Or(string(r.FailOn), "nothing"))
	add(r.Summary.Skipped > 0, "Skipped", count(r.Summary.Skipped, "document")+" without a Kubernetes object")
	add(r.Summary.Unparsable > 0, "Unparsable", count(r.Summary.Unparsable, "finding")+" whose vendor can't be told")
	return append(facts, fact{Name: "Rule set", Value: r.RuleSet, Code: true})
}

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
	Reading  string // how the image was read, where it is not as written
	Policies string
}

// findingViews returns the findings, the strongest action first.
func (r *Result) findingViews() []findingView {
	zones := map[string]*time.Location{}
	for _, m := range r.measures() {
		if m.schedule != nil {
			zones[m.id()] = m.schedule.Zone()
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
		zone := cmp.Or(zones[v.Name], time.UTC)
		if f.Effective != nil {
			v.PhaseOn = day(*f.Effective, zone)
		}
		if f.Next != nil {
			v.NextOn = day(f.Next.Effective, zone)
		}
		if f.Since != nil {
			v.Since = day(*f.Since, time.UTC)
		}
		v.Reading = cmp.Or(f.Upstream, f.Canonical)
		views = append(views, v)
	}
	slices.SortStableFunc(views, func(a, b findingView) int { return b.Action.Strength() - a.Action.Strength() })
	return views
}

// day shows the day of an instant in a zone.
func day(at time.Time, zone *time.Location) string { return at.In(zone).Format(time.DateOnly) }

// anchor is where a measure stands in the page.
func anchor(vendor, restriction string) string { return "measure-" + vendor + "-" + restriction }

// verdict is the page's first sentence.
type verdict struct {
	Class, Title, Text string
}

// verdict says what the result comes to. Where something was not read, nobody should
// take what was found for all there is.
func (r *Result) verdict() verdict {
	v := verdict{Class: "clean", Title: "No image of a restricted vendor found", Text: r.sentence()}
	switch action := strongest(r.Findings); {
	case len(r.Findings) == 0 && len(r.Problems) > 0:
		v.Class, v.Title = "warn", "Nothing found in what could be read"
	case len(r.Findings) == 0:
	case r.live():
		v.Class, v.Title = strings.ToLower(string(action)), r.running()
	case action == v1alpha1.ActionDeny:
		v.Class, v.Title = "deny", r.images(action)+" would be refused"
	case action == v1alpha1.ActionWarn:
		v.Class, v.Title = "warn", "Nothing is refused; "+r.images(action)+" would be warned about"
	default:
		v.Class, v.Title = "audit", "Nothing is refused; "+r.images(action)+" would be noted"
	}
	return v
}

// images counts the images with findings of an action.
func (r *Result) images(action v1alpha1.Action) string {
	fields := map[Image]bool{}
	for _, f := range r.Findings {
		if f.Action == action {
			fields[f.imageField()] = true
		}
	}
	return count(len(fields), "image")
}

// running counts what runs.
func (r *Result) running() string {
	carrying, unread := map[Image]bool{}, map[Image]bool{}
	vendors := map[string]bool{}
	for _, f := range r.Findings {
		if f.Vendor == "" {
			unread[f.workload()] = true
			continue
		}
		carrying[f.workload()] = true
		vendors[f.Vendor] = true
	}
	if len(carrying) == 0 {
		return count(len(unread), "workload") + " with images that can't be read"
	}
	return fmt.Sprintf("%s with images of %s", count(len(carrying), "workload"), count(len(vendors), "restricted vendor"))
}

// workload is the object of a finding.
func (f Finding) workload() Image {
	return Image{Cluster: f.Cluster, APIVersion: f.APIVersion, Kind: f.Kind, Namespace: f.Namespace, Name: f.Name}
}
