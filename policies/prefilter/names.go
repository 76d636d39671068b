package prefilter

import (
	_ "embed"
	"strings"
)

// names are real image names, a line each after a comment, gathered from public
// projects by make names: a text that is rare in them is rare in clean images.
//
//go:embed names.txt
var names string

// occurrences returns how often a token stands in the names.
func occurrences(t token) int {
	n := 0
	for at := 0; ; at++ {
		i := strings.Index(names[at:], t.Text)
		if i < 0 {
			return n
		}
		at += i
		before, after := names[at-1], names[at+len(t.Text)]
		if (!t.Starts || before == '/' || before == '\n') && (!t.Ends || after == '/' || after == '\n') {
			n++
		}
	}
}
