package importer

import (
	"cmp"
	"fmt"
)

// Import is one run: it reads a list, selects, and brings the entries of each company
// together.
type Import struct {
	Selection
	// Unclear takes entries that may be about natural persons too.
	Unclear bool
	// Bad and Notice are told of rows that can't be read, and of the file as a whole.
	Bad    func(*BadRow)
	Notice func(string)

	Count Count

	spool     *spool
	published string
	failed    error
}

// Count counts what became of the rows.
type Count struct {
	Read     int // entries, good ones
	Bad      int
	Selected int // entries
	Drafts   int
	Persons  int // of those that the selection takes
	Others   int
	Crowded  int // beyond what is kept of one company
	Unclear  int
	// UnclearAt are the places of the first few that were left out as unclear.
	UnclearAt []string
}

// Run reads a list and visits the drafts. Its error is that the rest of the list can't be
// read, if it is a BadRow; the drafts of what came before are visited all the same.
func (i *Import) Run(format string, file File, side Side, visit func(*Draft) error) (err error) {
	if i.spool, err = newSpool(); err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, i.spool.close()) }()
	ended := Read(format, file, side, &Visitor{
		Entry: i.entry, Bad: i.bad, Notice: i.Notice, Published: func(date string) { i.published = date },
	})
	if i.failed != nil {
		return i.failed
	}
	err = i.spool.each(func(entries []Entry) error {
		i.Count.Drafts++
		return visit(newDraft(i.describe(format), entries))
	})
	return cmp.Or(err, ended)
}

// describe names the list for whoever completes a draft.
func (i *Import) describe(format string) string {
	list := map[string]string{"csl": "the U.S. Consolidated Screening List", "ofac": "OFAC's sanctions list", "opensanctions": "OpenSanctions"}[format]
	if i.published != "" {
		list += ", published on " + i.published
	}
	return list
}

func (i *Import) bad(b *BadRow) {
	i.Count.Bad++
	i.Bad(b)
}

const fewPlaces = 5

// entry takes an entry in, or counts why not.
func (i *Import) entry(e Entry) {
	i.Count.Read++
	if !i.Takes(&e) {
		return
	}
	switch e.Kind {
	case Person:
		i.Count.Persons++
		return
	case Other:
		i.Count.Others++
		return
	case Unclear:
		i.Count.Unclear++
		if len(i.Count.UnclearAt) < fewPlaces {
			i.Count.UnclearAt = append(i.Count.UnclearAt, e.Place)
		}
		if !i.Unclear {
			return
		}
		e.Notes = append(e.Notes, "the list doesn't say whether this is a company: make sure that it is no natural person")
	}
	switch room, err := i.spool.add(keyOf(e.Name), &e); {
	case err != nil:
		i.failed = cmp.Or(i.failed, fmt.Errorf("%s: %w", e.Place, err))
	case room:
		i.Count.Selected++
	default:
		i.Count.Crowded++
	}
}
