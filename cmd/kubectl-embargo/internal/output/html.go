package output

import (
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"sync"

	"embargo.dev/internal/display"
)

//go:embed html/page.css
var pageStyle string

//go:embed html/page.js
var pageScript string

//go:embed html/*.html
var pageFiles embed.FS

var (
	pageCSS = template.CSS(pageStyle) // it is our own
	pageJS  = template.JS(pageScript) // it is our own
	// pageTemplates are parsed only where a page is printed, since that takes milliseconds.
	pageTemplates = sync.OnceValue(func() *template.Template {
		return template.Must(template.ParseFS(pageFiles, "html/*.html"))
	})
)

// contentPolicy is what the browser may load: nothing but the style and the script.
func contentPolicy() string {
	return fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", hash(pageStyle), hash(pageScript))
}

// page is what the page shows, in its order.
type page struct {
	Policy   string // what the browser may load: nothing but the style and the script
	Style    template.CSS
	Script   template.JS
	Title    string
	Live     bool
	Unread   bool // nothing is known
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
		Policy: contentPolicy(), Style: pageCSS, Script: pageJS,
		Live:     r.live(),
		Unread:   r.unread(),
		Verdict:  r.verdict(),
		Problems: allVisible(problems(r.Errors)), Notices: allVisible(r.Notices),
		Tiles:    r.tiles(),
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
	return pageTemplates().ExecuteTemplate(w, "page.html", p)
}

// tiles count findings by action. Of what could not be read there is no count.
func (r *Result) tiles() []tile {
	if r.unread() {
		return nil
	}
	return []tile{
		{"deny", "Deny", r.Summary.Deny}, {"warn", "Warn", r.Summary.Warn}, {"audit", "Audit", r.Summary.Audit},
		{"", "images evaluated", r.Summary.Images}, {"", "objects read", r.Summary.Objects},
	}
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
	add(len(r.Clusters) > 1, "Clusters", r.clusterNames())
	add(r.Summary.Skipped > 0, "Skipped", display.Count(r.Summary.Skipped, "document")+" without a Kubernetes object")
	add(r.Summary.Unparsable > 0, "Unparsable", display.Count(r.Summary.Unparsable, "finding")+" whose vendor can't be told")
	add(len(r.NotLookedFor) > 0, "Not looked for", strings.Join(r.NotLookedFor, ", "))
	return append(facts, fact{Name: "Rule set", Value: r.RuleSet, Code: true})
}

func (r *Result) clusterNames() string {
	names := make([]string, 0, len(r.Clusters))
	for _, c := range r.Clusters {
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}
