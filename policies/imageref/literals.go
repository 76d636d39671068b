package imageref

import (
	"slices"
	"strings"
)

// Literal is a text that stands in every spelling of an image, in lower case.
type Literal struct {
	Text string
	// Starts and Ends say that a segment of the path begins, or ends, with the text.
	Starts, Ends bool
}

// Literals returns texts of which each stands in every spelling of every image that
// the pattern matches without a mirror: of its host, of the segments of its path, and
// its digest. Left out is what a spelling may leave out: Docker Hub's names, its
// library, ports and tags.
func (p Pattern) Literals() (host, path []Literal, digest string) {
	mayBeHub := p.anyHost || p.host.hub
	if !mayBeHub {
		for _, run := range p.host.literals() {
			host = append(host, Literal{Text: run})
		}
	}
	for _, s := range p.path {
		for _, l := range s.literals() {
			if !mayBeHub || !strings.Contains(hubLibrary, l.Text) {
				path = append(path, l)
			}
		}
	}
	return host, path, p.digest
}

func (s segment) literals() []Literal {
	switch {
	case s.deep:
		return nil
	case !s.wild():
		return []Literal{{Text: s.literal, Starts: true, Ends: true}}
	}
	var found []Literal
	for i, part := range s.parts {
		if part != "" {
			found = append(found, Literal{Text: part, Starts: i == 0, Ends: i == len(s.parts)-1})
		}
	}
	return found
}

// literals returns the literal runs of the host's labels with the dots between them.
func (h hostPattern) literals() []string {
	labels := make([]string, 0, len(h.labels)+1)
	if h.deeper {
		labels = append(labels, "*")
	}
	for _, g := range h.labels {
		if g.wild() {
			labels = append(labels, strings.Join(g.parts, "*"))
		} else {
			labels = append(labels, g.literal)
		}
	}
	var runs []string
	for run := range strings.SplitSeq(strings.Join(labels, "."), "*") {
		if strings.Trim(run, ".") != "" {
			runs = append(runs, run)
		}
	}
	return runs
}

// PrefixLiterals returns texts of which each stands in every spelling of every image
// below the mirror's prefix.
func (m Mirror) PrefixLiterals() []Literal {
	var found []Literal
	if m.prefix.host != Hub {
		name, _ := splitPort(m.prefix.host)
		found = append(found, Literal{Text: name})
	}
	for _, s := range m.prefix.path {
		if m.prefix.host != Hub || !strings.Contains(hubLibrary, s) {
			found = append(found, Literal{Text: s, Starts: true, Ends: true})
		}
	}
	return found
}

// PutsIntoPath reports whether undoing the mirror puts the text into a segment of the
// path, so that it need not stand in the image as written: as a part of the upstream, or
// as the library that stands for nothing in a name of Docker Hub, and for itself
// elsewhere.
func (m Mirror) PutsIntoPath(text string) bool {
	if m.prefix.host == Hub && len(m.prefix.path) == 0 && strings.Contains(hubLibrary, text) {
		return true
	}
	return slices.ContainsFunc(m.upstream.path, func(s string) bool { return strings.Contains(s, text) })
}

// PutsHostOf reports whether undoing the mirror may give an image at a host that the
// pattern matches.
func (m Mirror) PutsHostOf(p Pattern) bool {
	return p.anyHost || p.host.match(m.upstream.host) || p.host.match(stripPort(m.upstream.host))
}

// MayPrecede reports whether an image that the mirror was undone of may lie below the
// other's prefix.
func (m Mirror) MayPrecede(other Mirror) bool {
	return stripPort(m.upstream.host) == stripPort(other.prefix.host)
}

func stripPort(host string) string {
	name, _ := splitPort(host)
	return name
}
