package importer

import (
	"regexp"
	"strings"
)

// readOpenSanctions reads a dataset's targets.simple.csv.
func readOpenSanctions(file File, v *Visitor) error {
	told := false
	return eachNamed(file, []string{"id", "schema", "name", "sanctions", "dataset"}, func(place string, row map[string]string) {
		if _, named := row["program_ids"]; !named && !told {
			v.Notice(file.Name + " is of a time before the column program_ids: its entries name no programme")
			told = true
		}
		name, notes := bareName(row["name"])
		if name == "" {
			v.bad(place, "it has no name")
			return
		}
		sanctions := splitList(row["sanctions"])
		e := Entry{
			Place: place, Kind: schemaKind(row["schema"], name, strings.TrimSpace(row["birth_date"]) != ""), Name: name,
			Aliases: splitList(row["aliases"]), Countries: splitList(row["countries"]),
			List: List{Name: strings.Join(splitList(row["dataset"]), "; ")}, Programmes: splitList(row["program_ids"]),
			Since: sanctionDate(sanctions), Notes: notes,
		}
		if e.List.Name == "" {
			v.bad(place, "it doesn't say of which dataset it is")
			return
		}
		for _, text := range sanctions {
			e.Citations = append(e.Citations, Citation{Title: text})
		}
		if len(sanctions) == 0 {
			e.Citations = []Citation{{Title: e.List.Name}}
		}
		e.Notes = append(e.Notes, "OpenSanctions knows it as "+clean(row["id"]))
		if seen := clean(row["first_seen"]); seen != "" {
			e.Notes = append(e.Notes, "OpenSanctions first saw it on "+seen+", which is not when a measure took effect")
		}
		v.Entry(e)
	}, func(place string, err error) { v.bad(place, "%w", err) })
}

// schemaKind reads what an entry is about. A LegalEntity may be a person too.
func schemaKind(schema, name string, born bool) Kind {
	switch schema {
	case "Company", "Organization", "PublicBody":
		return Company
	case "Person":
		return Person
	case "LegalEntity":
		return kindOf(name, born)
	default:
		return Other
	}
}

var endsWithDate = regexp.MustCompile(`(?:^| - )(\d{4}-\d{2}-\d{2})$`)

// sanctionDate returns the date with which the text of the one sanction ends, such as FCC
// Covered List - 2022-03-25. With two dates the last is the end; with several sanctions
// nobody can tell.
func sanctionDate(sanctions []string) string {
	if len(sanctions) != 1 {
		return ""
	}
	match := endsWithDate.FindStringSubmatchIndex(sanctions[0])
	if match == nil || endsWithDate.MatchString(sanctions[0][:match[0]]) {
		return ""
	}
	date, _ := isoDate(sanctions[0][match[2]:match[3]])
	return date
}
