package imageref

import (
	"slices"
	"strings"
)

// Literals returns texts of which each stands, in lower case, in every spelling of
// every image that the pattern matches without a mirror: of its host, of the segments
// of its path, and its digest. Left out is what a spelling may leave out: Docker Hub's
// names, its library, ports and tags.
func (p Pattern) Literals() (host, path []string, digest string) {
	mayBeHub := p.anyHost || p.host.hub
	if !mayBeHub {
		host = p.host.literals()
	}
	for _, s := range p.path {
		for _, text := range s.literalParts() {
			if text != "" && (!mayBeHub || !strings.Contains(hubLibrary, text)) {
				path = append(path, text)
			}
		}
	}
	return host, path, p.digest
}

func (s segment) literalParts() []string {
	switch {
	case s.deep:
		return nil
	case s.wild():
		return s.parts
	default:
		return []string{s.literal}
	}
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
func (m Mirror) PrefixLiterals() []string {
	var texts []string
	if m.prefix.host != Hub {
		name, _ := splitPort(m.prefix.host)
		texts = append(texts, name)
	}
	for _, s := range m.prefix.path {
		if m.prefix.host != Hub || !strings.Contains(hubLibrary, s) {
			texts = append(texts, s)
		}
	}
	return texts
}

// PutsIntoPath reports whether undoing the mirror puts the text into a segment of the
// path, so that it need not stand in the image as written.
func (m Mirror) PutsIntoPath(text string) bool {
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
