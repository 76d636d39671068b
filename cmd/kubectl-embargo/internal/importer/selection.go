package importer

import (
	"slices"
	"strings"
	"unicode"
)

// Selection says which entries are wanted: of each kind of words any has to fit, and
// every kind that is given.
type Selection struct {
	Names      []string // parts of a name or an alias
	Programmes []string
	Sources    []string // lists, by abbreviation or by words of their names
	Countries  []string // as the list writes them
}

// Empty reports whether nothing is asked for.
func (s *Selection) Empty() bool {
	return len(s.Names)+len(s.Programmes)+len(s.Sources)+len(s.Countries) == 0
}

// Takes reports whether an entry is wanted. Case doesn't count.
func (s *Selection) Takes(e *Entry) bool {
	names := append([]string{e.Name}, e.Aliases...)
	return anyFits(s.Names, names, contains) &&
		anyFits(s.Programmes, e.Programmes, strings.EqualFold) &&
		anyFits(s.Sources, []string{e.List.Name, e.List.Abbreviation}, hasWords) &&
		anyFits(s.Countries, e.Countries, strings.EqualFold)
}

// anyFits reports whether some value fits some word; without words all do.
func anyFits(words, values []string, fits func(value, word string) bool) bool {
	return len(words) == 0 || slices.ContainsFunc(words, func(word string) bool {
		return slices.ContainsFunc(values, func(value string) bool { return fits(value, word) })
	})
}

func contains(value, word string) bool {
	return strings.Contains(strings.ToLower(value), strings.ToLower(word))
}

// hasWords reports whether whole words stand in a text one after the other: MBS in NS-MBS
// List, but not EL in Personnel List.
func hasWords(text, words string) bool {
	return strings.Contains(spaced(text), spaced(words))
}

func spaced(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return " " + strings.Join(words, " ") + " "
}
