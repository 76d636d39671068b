package output

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"embargo.dev/internal/display"
	"embargo.dev/policies/schedule"
	"embargo.dev/policies/v1alpha1"
)

func (m *measure) view(r *Result) measureView {
	v := measureView{measure: m, Anchor: anchor(m.Vendor, m.Name), Findings: len(m.findings)}
	if m.schedule != nil {
		v.Timeline = m.timeline(r)
	}
	return v
}

// scale places instants on the picture.
type scale struct{ from, to time.Time }

func (s scale) x(at time.Time) float64 {
	share := float64(at.Sub(s.from)) / float64(s.to.Sub(s.from))
	return pictureLeft + min(max(share, 0), 1)*(pictureRight-pictureLeft)
}

func (m *measure) timeline(r *Result) *timeline {
	phases := m.schedule.Phases()
	asOf := r.Instant.In(m.schedule.Zone())
	first, last := phases[0].Instant, phases[len(phases)-1].Instant
	for _, at := range []time.Time{asOf, r.Made} {
		if at.After(last) {
			last = at
		}
		if !at.IsZero() && at.Before(first) {
			first = at
		}
	}
	margin := max(last.Sub(first)/10, 30*24*time.Hour)
	s := scale{first.Add(-margin), last.Add(margin)}
	t := &timeline{Name: m.id(), Hatch: "coming-" + anchor(m.Vendor, m.Name), Zone: m.TimeZone}
	rows := t.starts(s, phases)
	t.AxisY = rows*dotRow + 6 + 3*(laneHeight+laneGap)
	t.marks(s, asOf, r)
	t.ticks(s)
	t.lanes(s, phases, asOf, rows*dotRow+6)
	t.Height = t.AxisY + 26 + 22*len(t.Marks)
	t.table(m, asOf)
	return t
}

// starts numbers the phases, in as many rows as they need.
func (t *timeline) starts(s scale, phases []schedule.Phase) (rows int) {
	var ends [dotRows]float64
	for i := range phases {
		x := s.x(phases[i].Instant)
		row := 0
		for row < dotRows-1 && x-ends[row] < dotRow {
			row++
		}
		ends[row] = x
		rows = max(rows, row+1)
		t.Starts = append(t.Starts, start{X: x, Y: float64(row), Number: i + 1})
	}
	for i := range t.Starts {
		// The first row stands lowest, next to the lanes.
		t.Starts[i].Y = (float64(rows)-t.Starts[i].Y)*dotRow - dotRow/2
	}
	return rows
}

func (t *timeline) lanes(s scale, phases []schedule.Phase, asOf time.Time, top int) {
	for i, use := range []struct {
		name string
		asks func(*schedule.Phase) v1alpha1.Action
	}{
		{"new", func(p *schedule.Phase) v1alpha1.Action { return p.Introduce }},
		{"updates", func(p *schedule.Phase) v1alpha1.Action { return p.Update }},
		{"running", func(p *schedule.Phase) v1alpha1.Action { return p.Continue }},
	} {
		l := lane{Name: use.name, Y: top + i*(laneHeight+laneGap)}
		l.Spans = append(l.Spans, newBar(pictureLeft, s.x(phases[0].Instant), "", false))
		for j := range phases {
			to := float64(pictureRight)
			if j+1 < len(phases) {
				to = s.x(phases[j+1].Instant)
			}
			action := use.asks(&phases[j])
			l.Spans = append(l.Spans, t.label(newBar(s.x(phases[j].Instant), to, action, phases[j].Instant.After(asOf)), action))
		}
		t.Lanes = append(t.Lanes, l)
	}
}

func newBar(from, to float64, action v1alpha1.Action, coming bool) bar {
	b := bar{X: from, Width: max(to-from-1, 0), Class: "free", Coming: coming}
	if action != "" && action != v1alpha1.ActionAllow {
		b.Class = strings.ToLower(string(action))
	}
	return b
}

// label writes the action where there is room beside the marks.
func (t *timeline) label(b bar, action v1alpha1.Action) bar {
	const room = 40
	from, to := b.X, b.X+b.Width
	for _, m := range t.Marks {
		switch {
		case m.X < from || m.X > to:
		case m.X-from > to-m.X:
			to = m.X
		default:
			from = m.X
		}
	}
	if to-from >= room {
		b.Label, b.LabelX = string(action), (from+to)/2
	}
	return b
}

// ticks marks the years, or the months where there are few years.
func (t *timeline) ticks(s scale) {
	step, layout := 12, "2006"
	if s.to.Sub(s.from) < 2*366*24*time.Hour {
		step, layout = 3, "2006-01"
	}
	at := time.Date(s.from.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	for reached := float64(pictureLeft); !at.After(s.to); at = at.AddDate(0, step, 0) {
		if x := s.x(at); at.After(s.from) && x-reached > 24 && x < pictureRight-24 && !t.marked(x) {
			t.Ticks = append(t.Ticks, mark{X: x, TextX: x, Y: t.AxisY, Name: at.Format(layout), At: "middle"})
			reached = x + 30
		}
	}
}

// marked reports whether a mark would go through a tick's name.
func (t *timeline) marked(x float64) bool {
	return slices.ContainsFunc(t.Marks, func(m mark) bool { return m.X > x-26 && m.X < x+26 })
}

// marks shows the instant that was asked for, and today where that is another.
func (t *timeline) marks(s scale, asOf time.Time, r *Result) {
	add := func(at time.Time, name, class string) {
		x := s.x(at)
		m := mark{X: x, TextX: x + 6, Y: t.AxisY + 40 + 22*len(t.Marks), Name: name, Class: class, At: "start"}
		if x > (pictureLeft+pictureRight)/2 {
			m.TextX, m.At = x-6, "end"
		}
		t.Marks = append(t.Marks, m)
	}
	now := r.Made.IsZero() || asOf.Sub(r.Made).Abs() < time.Minute
	if now {
		add(asOf, "now, "+day(asOf, time.UTC), "asof")
		return
	}
	add(asOf, "as of "+r.asOf(), "asof")
	add(r.Made, "today, "+day(r.Made, time.UTC), "today")
}

// table lists the phases, and describes the picture by them.
func (t *timeline) table(m *measure, asOf time.Time) {
	inForce, _ := m.schedule.At(asOf, 0)
	phases := m.schedule.Phases()
	for i := range phases {
		p := &phases[i]
		v := phaseView{Phase: p.Phase, Number: i + 1, Day: m.dayAt(p, asOf), Standing: "past"}
		switch {
		case p == inForce:
			v.Standing = "in force"
		case p.Instant.After(asOf):
			v.Standing = "coming"
		}
		t.Phases = append(t.Phases, v)
	}
	standing := "none is in force yet"
	if inForce != nil {
		standing = "in force is " + inForce.Phase.Phase
	}
	t.Describe = fmt.Sprintf("Timeline of %s: %s; %s. The table below has the same.", m.id(), display.Count(len(phases), "phase"), standing)
}
