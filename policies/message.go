package policies

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"embargo.dev/internal/display"
	"embargo.dev/internal/escape"
	"embargo.dev/policies/schedule"
	"embargo.dev/policies/v1alpha1"
)

const (
	// maxDenial keeps a denial short enough for the events and conditions that
	// repeat it.
	maxDenial = 800
	// maxImage is what a message shows of an image's name.
	maxImage = 120
)

// Denial is what the user reads when the request is refused, "" where it isn't:
// every image that is refused, and what to do; where there is room, also waivers that
// cover other tags.
func (d Decision) Denial() string {
	if !d.Denied() {
		return ""
	}
	denying := d.where(func(f *Finding) bool { return f.Action == v1alpha1.ActionDeny })
	groups := group(denying, (*Finding).sameImage)
	advice := ". " + adviceFor(denying)
	room := maxDenial - len(advice) - len("; and 999 more")
	text := display.Truncate(groups[0].sentence(), room)
	for i, g := range groups[1:] {
		sentence := "; " + g.sentence()
		if len(text)+len(sentence) > room {
			text += fmt.Sprintf("; and %d more", len(groups)-1-i)
			break
		}
		text += sentence
	}
	for _, note := range besideNotes(denying) {
		if len(text)+len(note) <= room {
			text += note
		}
	}
	return text + advice
}

// besideNotes are the notes of the findings, each once.
func besideNotes(findings []*Finding) []string {
	var notes []string
	for _, f := range findings {
		if note := f.besideNote(); note != "" && !slices.Contains(notes, note) {
			notes = append(notes, note)
		}
	}
	return notes
}

// adviceFor says what to move to and how an exception is granted.
func adviceFor(denying []*Finding) string {
	var replacements []string
	for _, f := range denying {
		if r := f.measure.replacement; r != "" && !slices.Contains(replacements, r) {
			replacements = append(replacements, r)
		}
	}
	advice := "An exception needs a VendorWaiver for this namespace (kubectl explain vendorwaiver.spec)"
	if len(replacements) > 0 {
		const most = 200
		advice = "Replacement: " + display.Truncate(clean(strings.Join(replacements, "; "), most), most) + ". " + advice
	}
	return advice
}

// where returns the findings that hold, in their order.
func (d Decision) where(holds func(*Finding) bool) []*Finding {
	var found []*Finding
	for i := range d.Findings {
		if holds(&d.Findings[i]) {
			found = append(found, &d.Findings[i])
		}
	}
	return found
}

// DateDoubt is the remark on a phase whose date is in doubt, and empty for others.
func DateDoubt(vendor, restriction, phase string, v v1alpha1.Verification) string {
	doubt := v.Doubt()
	if doubt == "" {
		return ""
	}
	return fmt.Sprintf("the date of phase %q of %s/%s is %s", phase, vendor, restriction, doubt)
}

// Notices are remarks on what the decision rests on: dates that are in doubt, and
// waivers that no longer count.
func (d Decision) Notices() []string {
	var notices []string
	add := func(text string) {
		if !slices.Contains(notices, text) {
			notices = append(notices, text)
		}
	}
	for _, f := range d.Findings {
		if doubt := DateDoubt(f.Vendor, f.Restriction, f.Phase, f.measure.verification); doubt != "" {
			add(doubt)
		}
		if f.measure.expiredWaiver != "" {
			add(ExpiredWaiver(f.measure.expiredWaiver, f.measure.waiverExpires, f.measure.realTime))
		}
		if f.Waiver != "" {
			add(fmt.Sprintf("waiver %q covers image %s until %s", f.Waiver, quoteImage(f.Image), f.WaiverEnds()))
		}
	}
	return notices
}

// ExpiredWaiver is the notice about a waiver that no longer counts.
func ExpiredWaiver(name string, expires, now time.Time) string {
	return fmt.Sprintf("waiver %q expired on %s and no longer counts", name, schedule.Date(now, expires, time.UTC))
}

// WaiverEnds is when the live waiver expires, as people say it; "" where none covers the
// finding.
func (f *Finding) WaiverEnds() string {
	if f.Waiver == "" {
		return ""
	}
	return schedule.Deadline(f.measure.realTime, f.measure.waiverExpires, time.UTC)
}

// place names the container or volume that a finding is in.
func (f *Finding) place() string {
	if f.Container == "" {
		return clean(f.Field, maxImage)
	}
	kind := "container"
	if f.measure.list == "volumes" {
		kind = "volume"
	}
	return kind + ` "` + clean(f.Container, 63) + `"`
}

// sentence says what a finding on its own amounts to.
func (f *Finding) sentence() string {
	g := grouped{Finding: f}
	g.add(f)
	return g.sentence() + f.besideNote()
}

// sentence is one line: where, what, whose, since when, and what comes next.
func (g *grouped) sentence() string {
	if g.Message != "" && len(g.places) == 1 && g.measure.beside == nil {
		return g.Message
	}
	where, images, vendor := list(g.places, 3, 60), list(g.images, 2, 90), clean(g.measure.displayName, 64)
	image, looks := "image", "looks"
	if len(g.images) > 1 {
		image, looks = "images", "look"
	}
	switch {
	case g.Vendor == "":
		return fmt.Sprintf("%s: image %s can't be read, so no vendor can be ruled out: %s", where, images, clean(g.measure.reason, 200))
	case g.Confidence == v1alpha1.ConfidenceSuspected:
		return fmt.Sprintf("%s: %s %s %s like %s's: %s", where, image, images, looks, vendor, g.standing())
	default:
		return fmt.Sprintf("%s: %s %s %s: %s", where, vendor, image, images, g.standing())
	}
}

// standing says what the measure asks, since when and, in a refusal, by which
// text.
func (f *Finding) standing() string {
	m := f.measure
	begun, begins := schedule.Date(f.EvaluatedAt, *f.Effective, m.zone), schedule.Deadline(f.EvaluatedAt, *f.Effective, m.zone)
	citation := clean(m.citation, 80)
	switch {
	case f.Waiver != "":
		return fmt.Sprintf("allowed by waiver %q until %s", f.Waiver, f.WaiverEnds())
	case f.early() && f.Action == v1alpha1.ActionDeny:
		return fmt.Sprintf("refused early by cluster policy (%s); prohibited from %s: %s (%s)%s", schedule.Days(int(m.leadDays)), begins, f.summary(), citation, f.expiredNote())
	case f.early():
		return fmt.Sprintf("%s (from %s, %s early by cluster policy)%s", f.summary(), begun, schedule.Days(int(m.leadDays)), f.outlook())
	case f.Action == v1alpha1.ActionDeny:
		return fmt.Sprintf("refused by cluster policy: %s (since %s, %s)%s", f.summary(), begun, citation, f.expiredNote())
	default:
		return fmt.Sprintf("%s (%s)%s", f.summary(), begun, f.outlook())
	}
}

// summary is the phase's own words, or its name where it has none.
func (f *Finding) summary() string {
	if f.measure.summary == "" {
		return fmt.Sprintf("%s %s", f.Restriction, f.Phase)
	}
	return clean(f.measure.summary, 120)
}

// outlook says when the use, or an update, will be refused.
func (f *Finding) outlook() string {
	m := f.measure
	switch {
	case !m.refusedFrom.IsZero():
		return fmt.Sprintf("; will be refused from %s (%s)", moment(f.EvaluatedAt, m.refusedFrom, m.zone), schedule.Left(f.EvaluatedAt, m.refusedFrom, m.zone))
	case m.updatesDenied:
		return "; updates of it are refused"
	case !m.updatesFrom.IsZero():
		return fmt.Sprintf("; updates of it will be refused from %s (%s)", moment(f.EvaluatedAt, m.updatesFrom, m.zone), schedule.Left(f.EvaluatedAt, m.updatesFrom, m.zone))
	default:
		return f.expiredNote()
	}
}

func (f *Finding) expiredNote() string {
	if f.measure.expiredWaiver == "" {
		return ""
	}
	return fmt.Sprintf("; waiver %q expired on %s", f.measure.expiredWaiver, schedule.Date(f.measure.realTime, f.measure.waiverExpires, time.UTC))
}

// besideNote names a live waiver that covers another tag or digest of what is refused.
func (f *Finding) besideNote() string {
	w := f.measure.beside
	if w == nil {
		return ""
	}
	return fmt.Sprintf("; waiver %q covers %s until %s, but not %s",
		w.name, quoteImage(f.measure.besideImages), schedule.Date(f.measure.realTime, w.expires, time.UTC), quoteImage(f.Image))
}

// list joins the first of some names, at most so many and as far as there is room, and
// counts the rest.
func list(names []string, most, room int) string {
	text, shown := names[0], 1
	for shown < min(most, len(names)) && len(text)+len(names[shown]) <= room {
		text += ", " + names[shown]
		shown++
	}
	if shown == len(names) {
		return text
	}
	return fmt.Sprintf("%s and %d more", text, len(names)-shown)
}

// quoteImage shows an image as written, as far as a message may.
func quoteImage(text string) string { return `"` + clean(text, maxImage) + `"` }

// clean makes text fit for a warning header and a terminal: the API server drops
// a warning with a control character in it without a word, and what can't be
// seen can mislead. Such characters are shown by their code.
func clean(text string, most int) string {
	if len(text) <= most {
		return escape.Text(text)
	}
	count := 0
	for i := range text {
		if count == most {
			return escape.Text(text[:i]) + "…"
		}
		count++
	}
	return escape.Text(text)
}
