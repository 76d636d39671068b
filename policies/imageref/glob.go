package imageref

import "strings"

// glob is one segment, host label or tag of a pattern, in which * stands for any
// characters, none included. A segment without * stands for itself.
type glob struct {
	literal string   // where parts is nil
	parts   []string // what stands before, between and after the stars
}

func newGlob(text string) glob {
	if !strings.Contains(text, "*") {
		return glob{literal: text}
	}
	return glob{parts: strings.Split(text, "*")}
}

// wild reports whether the glob has a star.
func (g glob) wild() bool { return g.parts != nil }

// any reports whether every text fits.
func (g glob) any() bool { return g.wild() && strings.Join(g.parts, "") == "" }

// match reports whether the whole text fits. Taking the first place at which each
// inner part fits is enough: a later place leaves less for the parts after it.
func (g glob) match(text string) bool {
	if !g.wild() {
		return text == g.literal
	}
	first, last := g.parts[0], g.parts[len(g.parts)-1]
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, part := range g.parts[1 : len(g.parts)-1] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return true
}
