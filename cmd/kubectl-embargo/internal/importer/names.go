package importer

import (
	"encoding/csv"
	"regexp"
	"strings"
	"unicode"
)

// clean brings white space to single spaces and drops what can't be seen: control
// characters, those that would turn the direction of writing, and what is no character.
func clean(text string) string {
	seen := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsGraphic(r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(seen), " ")
}

var (
	successors = regexp.MustCompile(`(?i)[\s;,]*\band any successors?,? sub-?units?,? (?:or|and) subsidiar(?:y|ies)(?: thereof)?\.?\s*$`)
	affiliated = regexp.MustCompile(`(?i)[\s;,.]*\baffiliated entit(?:y|ies):\s*`)
)

// bareName takes off a company's name what lists append to it; the notes say what it was.
func bareName(text string) (name string, notes []string) {
	name = clean(text)
	if at := successors.FindStringIndex(name); at != nil {
		notes = append(notes, "the list adds: "+strings.TrimLeft(name[at[0]:], " ;,"))
		name = name[:at[0]]
	}
	if at := affiliated.FindStringIndex(name); at != nil {
		notes = append(notes, "the list adds: "+strings.TrimLeft(name[at[0]:], " ;,."))
		if name = name[:at[0]]; name == "" {
			name = strings.TrimPrefix(notes[len(notes)-1], "the list adds: ")
			_, name, _ = strings.Cut(name, ":")
		}
	}
	name = strings.Trim(name, " ;,")
	if strings.Contains(name, "?") {
		notes = append(notes, "a ? in the name may stand for a character that the list lost")
	}
	return name, notes
}

// splitList splits a cell with several values, separated by semicolons and, where one has
// a semicolon in it, quoted.
func splitList(cell string) []string {
	if strings.Contains(cell, `"`) {
		reader := csv.NewReader(strings.NewReader(cell))
		reader.Comma = ';'
		reader.TrimLeadingSpace = true
		if row, err := reader.Read(); err == nil {
			return cleaned(row)
		}
	}
	return cleaned(strings.Split(cell, ";"))
}

// cleaned cleans values, and drops empty ones and the word with which the last is joined.
func cleaned(values []string) []string {
	var kept []string
	for i, value := range values {
		value = clean(value)
		if i > 0 && i == len(values)-1 {
			value = strings.TrimPrefix(value, "and ")
		}
		if value != "" {
			kept = append(kept, value)
		}
	}
	return kept
}
