package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"embargo.dev/policies/schedule"
	"embargo.dev/policies/v1alpha1"
)

// contents is what the page shows.
type contents struct {
	Vendors   []vendor
	Audiences []audience
}

type vendor struct {
	v1alpha1.RestrictedVendor

	Restrictions []restriction
	Sources      string // the comment above it, as Markdown
}

type restriction struct {
	v1alpha1.Restriction

	Phases []phase
}

type phase struct {
	schedule.Phase
}

// UTC is the instant at which the phase begins.
func (p phase) UTC() string { return p.Instant.Format(time.RFC3339) }

// Mark says where the date was read.
func (p phase) Mark() string { return strings.ToLower(string(p.Verification)) }

// Doubtful reports whether the date was not read in the primary text.
func (p phase) Doubtful() bool { return p.Verification != v1alpha1.VerificationVerified }

func newVendor(object *v1alpha1.RestrictedVendor, text string) (vendor, error) {
	v := vendor{RestrictedVendor: *object, Sources: sources(text)}
	for i, r := range object.Spec.Restrictions {
		compiled, errs := schedule.Compile(field.NewPath("spec", "restrictions").Index(i), r.TimeZone, r.Schedule)
		if len(errs) > 0 {
			return v, errs.ToAggregate()
		}
		shown := restriction{Restriction: r}
		for _, p := range compiled.Phases() {
			shown.Phases = append(shown.Phases, phase{p})
		}
		v.Restrictions = append(v.Restrictions, shown)
	}
	return v, nil
}

// sources takes the comment above a vendor without its first paragraph, which says who it
// is; the lines that are headings become bold.
func sources(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		comment, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "#")
		if !ok {
			break
		}
		comment = strings.TrimPrefix(comment, " ")
		if comment == "Sources" || comment == "Image names" {
			comment = "**" + comment + "**\n"
		}
		lines = append(lines, comment)
	}
	_, rest, _ := strings.Cut(strings.Join(lines, "\n"), "\n\n")
	return strings.ReplaceAll(rest, "*.", `\*.`)
}

// cell keeps a text within a cell of a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

type audience struct {
	Name, Who    string
	Restrictions []string
}

// who says who each audience is.
var who = map[string]string{
	"us-persons":               "U.S. persons, wherever they are: citizens and permanent residents, companies under U.S. law, whoever is in the United States. The default policy applies it",
	"us-federal":               "U.S. executive agencies; for NDAA FY2018 §1634 the whole Federal Government",
	"us-federal-civilian":      "U.S. federal civilian executive agencies",
	"us-federal-contractors":   "contractors and subcontractors of the U.S. federal government",
	"us-dod":                   "the U.S. Department of Defense, in what it buys",
	"us-fcc-funded":            "applicants for equipment authorisation, and recipients of universal service funds",
	"us-exporters":             "whoever exports, re-exports or transfers items subject to the Export Administration Regulations",
	"ca-federal":               "the Government of Canada",
	"au-commonwealth":          "Australian non-corporate Commonwealth entities",
	"de-advised":               "whoever follows the advice of the German BSI",
	"it-public-administration": "Italian public administrations",
	"lt-critical":              "Lithuanian managers of critical information infrastructure and state information resources",
	"nl-government":            "the Dutch central government",
	"uk-government":            "departments of the UK government",
}

func audiencesOf(vendors []vendor) ([]audience, error) {
	by := map[string]*audience{}
	var names []string
	for _, v := range vendors {
		for _, r := range v.Restrictions {
			a, known := by[r.Audience]
			if !known {
				a = &audience{Name: r.Audience, Who: who[r.Audience]}
				by[r.Audience], names = a, append(names, r.Audience)
			}
			a.Restrictions = append(a.Restrictions, v.Name+" "+r.Name)
			if a.Who == "" {
				return nil, fmt.Errorf("say who the audience %s is", r.Audience)
			}
		}
	}
	slices.Sort(names)
	var list []audience
	for _, name := range names {
		list = append(list, *by[name])
	}
	return list, nil
}
