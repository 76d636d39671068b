package calendar

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"embargo.dev/policies/v1alpha1"
)

// Look is how a picture may be drawn.
type Look struct {
	Width  int  // characters on a line
	UTF8   bool // else in ASCII alone
	Colour bool
}

// glyphs are what a picture is drawn with.
type glyphs struct {
	actions map[v1alpha1.Action]rune // the strongest of a phase's actions
	began   rune                     // a phase has begun
	begins  rune                     // a phase is to begin
	now     rune
}

var (
	blocks = glyphs{
		actions: map[v1alpha1.Action]rune{v1alpha1.ActionDeny: '█', v1alpha1.ActionWarn: '▒', v1alpha1.ActionAudit: '░', v1alpha1.ActionAllow: '·'},
		began:   '◆', begins: '◇', now: '│',
	}
	ascii = glyphs{
		actions: map[v1alpha1.Action]rune{v1alpha1.ActionDeny: '#', v1alpha1.ActionWarn: '=', v1alpha1.ActionAudit: '-', v1alpha1.ActionAllow: '.'},
		began:   '+', begins: 'o', now: '|',
	}
	colours = map[v1alpha1.Action]string{v1alpha1.ActionDeny: "31", v1alpha1.ActionWarn: "33", v1alpha1.ActionAudit: "36"}
)

// narrowest is the fewest characters that a line of time is drawn with.
const narrowest = 24

// Picture draws a line of time for each restriction, with the instant that is asked
// about marked. Without entries there is nothing to draw.
func Picture(w io.Writer, entries []Entry, now time.Time, look Look) error {
	if len(entries) == 0 {
		return nil
	}
	p := newPicture(entries, now, look)
	p.axis()
	for start := 0; start < len(entries); {
		end := start + 1
		for end < len(entries) && entries[end].title() == entries[start].title() {
			end++
		}
		p.row(entries[start:end])
		start = end
	}
	p.legend()
	_, err := io.WriteString(w, p.text.String())
	return err
}

type picture struct {
	glyphs

	look       Look
	now        time.Time
	from, to   time.Time
	label, bar int // characters of a row's label, and of its line of time
	text       strings.Builder
}

func newPicture(entries []Entry, now time.Time, look Look) *picture {
	p := &picture{glyphs: ascii, look: look, now: now, from: now, to: now}
	if look.UTF8 {
		p.glyphs = blocks
	}
	for i := range entries {
		p.label = max(p.label, len(entries[i].title())+2)
		if at := entries[i].Effective; at.Before(p.from) {
			p.from = at
		} else if at.After(p.to) {
			p.to = at
		}
	}
	margin := max(p.to.Sub(p.from)/25, 14*24*time.Hour)
	p.from, p.to = p.from.Add(-margin), p.to.Add(margin)
	p.bar = look.Width - p.label
	if p.bar < narrowest {
		p.label, p.bar = 0, max(look.Width, narrowest) // the label stands above
	}
	return p
}

// column is where an instant stands on the line.
func (p *picture) column(t time.Time) int {
	return int(float64(p.bar-1) * t.Sub(p.from).Seconds() / p.to.Sub(p.from).Seconds())
}

// axis writes the years, and when it is now.
func (p *picture) axis() {
	years := blank(p.bar)
	free := 0
	for year := p.from.Year() + 1; year <= p.to.Year(); year++ {
		at := p.column(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC))
		if text := strconv.Itoa(year); at >= free && at+len(text) <= p.bar {
			copy(years[at:], []rune(text))
			free = at + len(text) + 2
		}
	}
	marked := blank(p.bar)
	at := p.column(p.now)
	marked[at] = p.glyphs.now
	date := []rune(p.now.Format(time.DateOnly))
	if at+2+len(date) <= p.bar {
		copy(marked[at+2:], date)
	} else {
		copy(marked[max(0, at-1-len(date)):], date)
	}
	p.line("", string(years))
	p.line("", string(marked))
}

func blank(n int) []rune { return []rune(strings.Repeat(" ", n)) }

func (p *picture) line(label, content string) {
	fmt.Fprintf(&p.text, "%-*s%s\n", p.label, label, strings.TrimRight(content, " "))
}

// row draws the phases of one restriction.
func (p *picture) row(phases []Entry) {
	cells := blank(p.bar)
	actions := make([]v1alpha1.Action, p.bar)
	for i := range phases {
		for at := p.column(phases[i].Effective); at < p.bar; at++ {
			actions[at] = phases[i].strongest()
			cells[at] = p.actions[actions[at]]
		}
	}
	cells[p.column(p.now)] = p.glyphs.now
	for i := range phases {
		mark := p.began
		if phases[i].state == coming {
			mark = p.begins
		}
		cells[p.column(phases[i].Effective)] = mark
	}
	label := phases[0].title()
	if p.label == 0 {
		fmt.Fprintln(&p.text, label)
		label = ""
	}
	p.line(label, p.coloured(cells, actions))
}

// coloured paints runs of one action.
func (p *picture) coloured(cells []rune, actions []v1alpha1.Action) string {
	if !p.look.Colour {
		return string(cells)
	}
	var b strings.Builder
	for start := 0; start < len(cells); {
		end := start + 1
		for end < len(cells) && actions[end] == actions[start] {
			end++
		}
		if code := colours[actions[start]]; code != "" {
			fmt.Fprintf(&b, "\x1b[%sm%s\x1b[0m", code, string(cells[start:end]))
		} else {
			b.WriteString(string(cells[start:end]))
		}
		start = end
	}
	return b.String()
}

func (p *picture) legend() {
	g := p.glyphs
	fmt.Fprintf(&p.text, "%c Deny  %c Warn  %c Audit  %c Allow (the strongest of a phase)  %c begun  %c to come  %c %s\n",
		g.actions[v1alpha1.ActionDeny], g.actions[v1alpha1.ActionWarn], g.actions[v1alpha1.ActionAudit], g.actions[v1alpha1.ActionAllow],
		g.began, g.begins, g.now, p.now.Format(time.DateOnly))
}
