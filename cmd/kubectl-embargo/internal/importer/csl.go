package importer

import (
	"regexp"
	"strings"
	"time"
)

// cslRow is a row of the Consolidated Screening List, in either format.
type cslRow struct {
	source, kind, name  string
	programs, altNames  []string
	countries           []string
	notices             string // of the Federal Register
	start, end          string
	requirement, policy string
	listURL, infoURL    string
	personal            bool // it has data that only persons have
}

var (
	// sourceLabel takes a label such as Entity List (EL) - Bureau of Industry and
	// Security apart.
	sourceLabel = regexp.MustCompile(`^(.*?)\s*\(([^()]+)\)\s*(List)?\s*(?:-\s*(.*))?$`)
	notice      = regexp.MustCompile(`(?i)\b(\d+)\s*F\.?\s?R\.?\s+(\d+)`)
)

func (r *cslRow) entry(place string, v *Visitor) {
	name, notes := bareName(r.name)
	if name == "" {
		v.bad(place, "it has no name")
		return
	}
	e := Entry{
		Place: place, Kind: r.kindOf(name), Name: name, Aliases: r.altNames, Countries: r.countries,
		List: cslList(r.source), Programmes: r.programs, Scope: r.scope(), Notes: notes,
	}
	if e.List.Name == "" {
		v.bad(place, "it doesn't say on which list it stands (source)")
		return
	}
	e.Citations = r.citations()
	switch date, ok := isoDate(r.start); {
	case ok:
		e.Since = date
	case r.start != "":
		e.Notes = append(e.Notes, "start_date is no date: "+clean(r.start))
	}
	if r.end != "" {
		e.Notes = append(e.Notes, "the list gives an end date, "+clean(r.end)+": add a phase with change: Relaxes")
	}
	v.Entry(e)
}

// kindOf reads the type. The Commerce and State Departments leave it empty, for companies
// and persons alike.
func (r *cslRow) kindOf(name string) Kind {
	switch strings.ToLower(clean(r.kind)) {
	case "entity":
		return Company
	case "individual":
		return Person
	case "vessel", "aircraft":
		return Other
	default:
		return kindOf(name, r.personal)
	}
}

func cslList(label string) List {
	label = clean(label)
	match := sourceLabel.FindStringSubmatch(label)
	if match == nil {
		return List{Name: label}
	}
	return List{Name: strings.TrimSpace(match[1] + " " + match[3]), Abbreviation: match[2], Authority: match[4]}
}

// citations are the notices in the Federal Register; several stand in one cell, in
// several notations.
func (r *cslRow) citations() []Citation {
	url := webAddress(r.infoURL)
	if url == "" {
		url = webAddress(r.listURL)
	}
	var citations []Citation
	for _, match := range notice.FindAllStringSubmatch(r.notices, -1) {
		citations = append(citations, Citation{Title: match[1] + " FR " + match[2], URL: url})
	}
	if other := clean(r.notices); len(citations) == 0 && other != "" {
		citations = append(citations, Citation{Title: other, URL: url})
	}
	if len(citations) == 0 {
		citations = append(citations, Citation{Title: clean(r.source), URL: url})
	}
	return citations
}

func (r *cslRow) scope() string {
	var parts []string
	if text := clean(r.requirement); text != "" {
		parts = append(parts, "License requirement: "+strings.TrimSuffix(text, ".")+".")
	}
	if text := clean(r.policy); text != "" {
		parts = append(parts, "License policy: "+strings.TrimSuffix(text, ".")+".")
	}
	return strings.Join(parts, " ")
}

// isoDate reads a date such as 2024-06-24.
func isoDate(text string) (string, bool) {
	day, err := time.Parse(time.DateOnly, strings.TrimSpace(text))
	return day.Format(time.DateOnly), err == nil
}

func webAddress(text string) string {
	text = clean(text)
	if strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://") {
		return text
	}
	return ""
}
