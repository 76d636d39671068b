package importer

import "fmt"

// Kind is what an entry is about.
type Kind int

// The kinds.
const (
	Company Kind = iota
	Person
	Unclear // the list doesn't say whether it is a company or a person
	Other   // a ship, an aircraft, a security
)

// Entry is what one row of a list says of one company.
type Entry struct {
	Place      string // of the row: file:line, or the place in the file
	Kind       Kind
	Name       string
	Aliases    []string
	Countries  []string // as the list writes them
	List       List
	Programmes []string
	Citations  []Citation
	Since      string // date, "" where the list gives none
	Scope      string // what the list says about it
	Notes      []string
}

// List is the list that an entry stands on.
type List struct {
	Name         string
	Abbreviation string
	Authority    string // "" where the list doesn't say
}

// Citation names a text and where it can be read, as far as the list says.
type Citation struct{ Title, URL string }

// BadRow is a row that can't be read, with its place.
type BadRow struct {
	Place string
	Err   error
}

// Error says where and why.
func (b *BadRow) Error() string { return fmt.Sprintf("%s: %v", b.Place, b.Err) }

// Unwrap returns the cause.
func (b *BadRow) Unwrap() error { return b.Err }

// Visitor is told what is read.
type Visitor struct {
	Entry     func(Entry)
	Bad       func(*BadRow)
	Notice    func(string) // something about the file as a whole
	Published func(date string)
}

func (v *Visitor) bad(place, format string, args ...any) {
	v.Bad(&BadRow{Place: place, Err: fmt.Errorf(format, args...)})
}
