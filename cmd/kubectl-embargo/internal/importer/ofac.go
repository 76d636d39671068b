package importer

import (
	"regexp"
	"strings"
	"time"
)

// ofacList is the list. Its files don't say whether they are the Specially Designated
// Nationals or the other lists in the same format; the programmes tell.
var ofacList = List{Name: "OFAC sanctions list", Abbreviation: "OFAC", Authority: "U.S. Department of the Treasury, Office of Foreign Assets Control"}

// ofacURL is where OFAC publishes its lists.
const ofacURL = "https://sanctionslistservice.ofac.treas.gov/"

// ofacRow is an entry of OFAC's list, in either format.
type ofacRow struct {
	kind, name, first  string
	programmes         []string
	aliases, countries []string
	remarks            string
}

func (r *ofacRow) entry(place string, v *Visitor) {
	name, notes := bareName(r.name)
	if name == "" {
		v.bad(place, "it has no name")
		return
	}
	e := Entry{
		Place: place, Kind: r.kindOf(), Name: name, Aliases: append(r.aliases, aliasesIn(r.remarks)...), Countries: r.countries,
		List: ofacList, Programmes: r.programmes, Notes: notes,
	}
	title := ofacList.Name
	if len(r.programmes) > 0 {
		title += ", " + strings.Join(r.programmes, ", ")
	}
	e.Citations = []Citation{{Title: title, URL: ofacURL}}
	v.Entry(e)
}

func (r *ofacRow) kindOf() Kind {
	kind := strings.ToLower(clean(r.kind))
	switch {
	case kind == "individual", clean(r.first) != "":
		return Person
	case kind == "", kind == "entity":
		return Company
	default:
		return Other
	}
}

// quotedAlias finds names such as a.k.a. 'EXAMPLE AV' among remarks.
var quotedAlias = regexp.MustCompile(`(?i)\b[afn]\.k\.a\.,? '(.+?)'(?:[.;,]|$)`)

func aliasesIn(remarks string) []string {
	var aliases []string
	for _, match := range quotedAlias.FindAllStringSubmatch(remarks, -1) {
		aliases = append(aliases, match[1])
	}
	return cleaned(aliases)
}

// usDate takes a date such as 08/21/2026 to 2026-08-21.
func usDate(text string) (string, bool) {
	day, err := time.Parse("01/02/2006", strings.TrimSpace(text))
	return day.Format(time.DateOnly), err == nil
}
