package calendar

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// Columns says which columns a table has.
type Columns struct {
	Left bool // how long it is until each phase, in place of its state
	Wide bool // more of each
}

// Table writes a line a phase.
func Table(w io.Writer, entries []Entry, with Columns) error {
	columns := []string{"VENDOR", "RESTRICTION", "AUDIENCE", "PHASE", "EFFECTIVE", "STATE", "INTRODUCE", "UPDATE", "CONTINUE", "CITATION"}
	if with.Left {
		columns[5] = "IN"
	}
	if with.Wide {
		columns = append(columns, "ZONE", "INSTANT", "VERIFICATION", "SUMMARY")
	}
	tabs := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tabs, strings.Join(columns, "\t"))
	for i := range entries {
		e := &entries[i]
		standing, effective := string(e.state), e.shown
		if with.Left {
			standing, effective = e.left, e.day
		}
		cells := []string{
			e.Vendor, e.Restriction, e.Audience, e.Phase, effective, standing,
			string(e.Introduce), string(e.Update), string(e.Continue), plain(e.citation()),
		}
		if with.Wide {
			cells = append(cells, e.timeZone, e.Effective.Format(time.RFC3339), orDash(string(e.Verification)), orDash(plain(e.Summary)))
		}
		fmt.Fprintln(tabs, strings.Join(cells, "\t"))
	}
	return tabs.Flush()
}

// citation is the title of the text that is cited first.
func (e *Entry) citation() string {
	if len(e.Citations) == 0 {
		return "-"
	}
	return e.Citations[0].Title
}

// Citations writes where the texts that are cited can be read.
func Citations(w io.Writer, entries []Entry) error {
	var lines []string
	for i := range entries {
		for _, c := range entries[i].Citations {
			line := plain(fmt.Sprintf("  %s  %s", c.Title, c.URL))
			if !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	_, err := fmt.Fprintf(w, "Citations:\n%s\n", strings.Join(lines, "\n"))
	return err
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// plain keeps control characters out of a terminal.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, text)
}
