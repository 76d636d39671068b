package output

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"embargo.dev/internal/display"
	"embargo.dev/policies"
)

// sentence sums the result up.
func (r *Result) sentence() string {
	s := r.Summary
	read := fmt.Sprintf("%s with %s as of %s", display.Count(s.Objects, "object"), display.Count(s.Images, "image"), r.asOf())
	if s.Skipped > 0 {
		read += fmt.Sprintf(" (%s)", display.CountOf(s.Skipped, "document skipped that is no Kubernetes object", "documents skipped that are no Kubernetes object"))
	}
	switch {
	case r.unread():
		return fmt.Sprintf("What runs as of %s is unknown: nothing could be read.", r.asOf())
	case len(r.Errors) > 0:
		read = fmt.Sprintf("what could be read (%s)", read)
	}
	if len(r.Findings) == 0 {
		return "No findings in " + read + "."
	}
	return fmt.Sprintf("%s in %s: %d Deny, %d Warn, %d Audit.", display.Count(len(r.Findings), "finding"), read, s.Deny, s.Warn, s.Audit)
}

// asOf is the instant for people, who need no fractions of a second.
func (r *Result) asOf() string { return shortInstant(r.AsOf) }

// shortInstant leaves out fractions of a second.
func shortInstant(text string) string {
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return at.UTC().Format(time.RFC3339)
	}
	return text
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// printable shows control characters, and what can't be seen, by their codes: it
// keeps them out of terminals, and of XML, which has no way to write them.
func printable(text string) string {
	quoted := strconv.Quote(text)
	quoted = quoted[1 : len(quoted)-1]
	return strings.ReplaceAll(quoted, `\"`, `"`)
}

// next is the next phase, with nothing in it where there is none.
func (f Finding) next() *policies.NextPhase { return cmp.Or(f.Next, &policies.NextPhase{}) }

func rfc3339(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
