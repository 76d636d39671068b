package importer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"embargo.dev/internal/display"
)

// Bounds of the API. What doesn't fit is left out, and the draft says so.
const (
	maxDisplayName  = 100
	maxEntities     = 256
	maxEntity       = 256
	maxRestrictions = 32
	maxCitations    = 16
	maxTitle        = 200
	maxURL          = 2048
	maxScope        = 2000
	maxAuthority    = 200
	maxSummary      = 200
)

// maxNotes is how many rows are named above a draft.
const maxNotes = 50

// Draft is what public lists say of one company, in the shape of a RestrictedVendor.
type Draft struct {
	Source       string // the list, for people
	Name         string // of the RestrictedVendor
	DisplayName  string
	Entities     []string
	Restrictions []Restriction
	Notes        []string
}

// Restriction is one measure, as far as a list tells of it.
type Restriction struct {
	Name      string
	Authority string
	Citations []Citation
	Scope     string
	Summary   string
	Since     string
}

// newDraft brings together the entries of one company.
func newDraft(source string, entries []Entry) *Draft {
	first := &entries[0]
	d := &Draft{Source: source, Name: metadataName(first.Name), DisplayName: display.TruncateCharacters(first.Name, maxDisplayName)}
	var entities []string
	for i := range entries {
		e := &entries[i]
		entities = append(append(entities, e.Name), e.Aliases...)
		if i < maxNotes {
			d.Notes = append(d.Notes, strings.Join(append([]string{e.Place}, e.Notes...), "; "))
		}
		if len(e.Programmes) == 0 {
			d.restrict(e, "")
		}
		for _, programme := range e.Programmes {
			d.restrict(e, programme)
		}
	}
	if more := len(entries) - maxNotes; more > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("and %d more rows", more))
	}
	d.setEntities(entities)
	if extra := len(d.Restrictions) - maxRestrictions; extra > 0 {
		d.Restrictions = d.Restrictions[:maxRestrictions]
		d.Notes = append(d.Notes, fmt.Sprintf("%d more restrictions don't fit", extra))
	}
	return d
}

// setEntities keeps each name once, whatever its case.
func (d *Draft) setEntities(names []string) {
	seen := map[string]bool{}
	left := 0
	for _, name := range names {
		switch key := strings.ToLower(name); {
		case seen[key]:
		case len(d.Entities) == maxEntities || len([]rune(name)) > maxEntity:
			left++
		default:
			seen[key] = true
			d.Entities = append(d.Entities, name)
		}
	}
	if left > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("%d more names don't fit", left))
	}
}

// restrict adds a measure. What several rows say of the same measure since the same date
// is one.
func (d *Draft) restrict(e *Entry, programme string) {
	label := cmp.Or(programme, e.List.Name)
	name := restrictionName(label)
	since := e.Since
	for i := range d.Restrictions {
		if r := &d.Restrictions[i]; r.Summary == summaryOf(e, programme) && r.Since == since {
			r.Citations = bounded(append(r.Citations, e.Citations...))
			r.Scope = cmp.Or(r.Scope, display.TruncateCharacters(e.Scope, maxScope))
			return
		}
	}
	d.Restrictions = append(d.Restrictions, Restriction{
		Name: d.free(name), Authority: display.TruncateCharacters(e.List.Authority, maxAuthority), Citations: bounded(e.Citations),
		Scope: display.TruncateCharacters(e.Scope, maxScope), Summary: summaryOf(e, programme), Since: since,
	})
}

func summaryOf(e *Entry, programme string) string {
	if programme == "" {
		return display.TruncateCharacters("on the list: "+e.List.Name, maxSummary)
	}
	return display.TruncateCharacters(fmt.Sprintf("on the list: %s, %s", e.List.Name, programme), maxSummary)
}

func restrictionName(label string) string {
	text, _ := slug(label)
	return cmp.Or(strings.Trim(text[:min(len(text), maxName-3)], "-"), "listed")
}

// free returns a name that no restriction of the draft has yet.
func (d *Draft) free(name string) string {
	taken := func(name string) bool {
		return slices.ContainsFunc(d.Restrictions, func(r Restriction) bool { return r.Name == name })
	}
	free := name
	for n := 2; taken(free); n++ {
		free = fmt.Sprintf("%s-%d", name, n)
	}
	return free
}

// bounded keeps each citation once, and as many as the API takes.
func bounded(citations []Citation) []Citation {
	var kept []Citation
	for _, c := range citations {
		c.Title = display.TruncateCharacters(c.Title, maxTitle)
		if len(c.URL) > maxURL {
			c.URL = ""
		}
		if !slices.Contains(kept, c) && len(kept) < maxCitations {
			kept = append(kept, c)
		}
	}
	return kept
}
