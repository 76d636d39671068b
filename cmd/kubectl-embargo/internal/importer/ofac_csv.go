package importer

import (
	"fmt"
	"strconv"
	"strings"
)

// Columns of OFAC's CSV files, which have no header.
const (
	sdnColumns      = 12 // ent_num, name, type, programme, title, call sign, ship's type, tonnage, GRT, flag, owner, remarks
	altColumns      = 5  // ent_num, alt_num, type, name, remarks
	addColumns      = 6  // ent_num, add_num, address, city, country, remarks
	commentsColumns = 2  // ent_num, what remarks had no room for
)

// readOFACCSV reads sdn.csv. The files beside it, which are small, are read first.
func readOFACCSV(file File, side Side, v *Visitor) error {
	aliases, countries, comments := map[string][]string{}, map[string][]string{}, map[string][]string{}
	for _, s := range []struct {
		file            *File
		columns, column int
		values          map[string][]string
	}{{side.Alt, altColumns, 3, aliases}, {side.Add, addColumns, 4, countries}, {side.Comments, commentsColumns, 1, comments}} {
		if s.file == nil {
			continue
		}
		err := eachNumbered(*s.file, s.columns, v, func(_, number string, row []string) {
			if value := row[s.column]; value != "" {
				s.values[number] = append(s.values[number], value)
			}
		})
		if err != nil {
			return err
		}
	}
	return eachNumbered(file, sdnColumns, v, func(place, number string, row []string) {
		r := ofacRow{
			kind: row[2], name: row[1], programmes: programmesIn(row[3]), aliases: aliases[number], countries: countries[number],
			remarks: row[11] + strings.Join(comments[number], " "),
		}
		r.entry(place, v)
	})
}

// eachNumbered visits the rows of a file by the number of the entity that they are about,
// with nothing where OFAC writes -0-.
func eachNumbered(file File, columns int, v *Visitor, visit func(place, number string, row []string)) error {
	r := newRowReader(file)
	place := func(line int) string { return fmt.Sprintf("%s:%d", file.Name, line) }
	err := r.each(columns, func(line int, row []string) {
		for i := range row {
			if row[i] = clean(row[i]); row[i] == "-0-" {
				row[i] = ""
			}
		}
		if _, err := strconv.ParseUint(row[0], 10, 64); err != nil {
			v.bad(place(line), "it begins with %q where the number of an entity should be", row[0])
			return
		}
		visit(place(line), row[0], row)
	}, func(line int, err error) { v.bad(place(line), "%w", err) })
	if err != nil {
		return &BadRow{Place: place(r.line), Err: err}
	}
	return nil
}

// programmesIn reads programmes such as NPWMD] [IFSR.
func programmesIn(cell string) []string {
	return cleaned(strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune("[];", r) }))
}
