package policies

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"embargo.dev/internal/display"
	"embargo.dev/policies/v1alpha1"
)

const (
	// maxWarnings is how many characters all warnings of a response may have: with more,
	// the API server cuts each of them to 256 and leaves out the last (apiserver,
	// pkg/endpoints/filters/warning.go).
	maxWarnings = 4096
	// maxSummary bounds a line that stands for several others.
	maxSummary = 250
)

// Warnings are the lines that a user reads when the request is admitted: one for
// each restriction that warns, with the containers grouped, and one for each waiver in
// use; then one for all images that can't be read. Images of different standing, such as
// one that goes on beside a new one, have lines of their own. Together the lines fit into
// what the API server passes on: the last one names the vendors for which there is no
// room. There is none where the request is refused.
func (d Decision) Warnings() []string {
	if d.Denied() {
		return nil
	}
	warned := d.where(func(f *Finding) bool { return f.Vendor != "" && (f.Action == v1alpha1.ActionWarn || f.Waiver != "") })
	unreadable := d.where(func(f *Finding) bool { return f.Vendor == "" && f.Action == v1alpha1.ActionWarn })
	groups := group(warned, (*Finding).sameStanding)
	room := maxWarnings - 2*maxSummary
	var lines []string
	for i, g := range groups {
		line := g.sentence()
		if room -= utf8.RuneCountInString(line); room < 0 {
			lines = append(lines, summarize(groups[i:]))
			break
		}
		lines = append(lines, line)
	}
	if len(unreadable) > 0 {
		lines = append(lines, unreadableLine(group(unreadable, (*Finding).sameStanding)))
	}
	return lines
}

// summarize names the vendors of the findings that have no line of their own.
func summarize(groups []grouped) string {
	var vendors []string
	for _, g := range groups {
		if name := clean(g.measure.displayName, 64); !slices.Contains(vendors, name) {
			vendors = append(vendors, name)
		}
	}
	line := fmt.Sprintf("and %d more about %s", len(groups), strings.Join(vendors, ", "))
	if utf8.RuneCountInString(line) > maxSummary {
		line = fmt.Sprintf("and %d more about %s", len(groups), list(vendors, len(vendors), maxSummary-60))
	}
	return line + "; the audit annotation has all"
}

// unreadableLine is the one line for all images that can't be read.
func unreadableLine(groups []grouped) string {
	if len(groups) == 1 {
		return display.Truncate(groups[0].sentence(), maxSummary)
	}
	var places []string
	for _, g := range groups {
		places = append(places, g.places...)
	}
	first := groups[0]
	return display.Truncate(fmt.Sprintf("%s: %d images can't be read, so no vendor can be ruled out; %s: %s",
		list(places, 3, 60), len(groups), display.Truncate(first.images[0], 60), clean(first.measure.reason, 80)), maxSummary)
}
