package imageref

import (
	"slices"
	"strings"
)

// Pattern recognises references. The zero Pattern matches nothing.
type Pattern struct {
	text    string
	anyHost bool // a leading **/
	host    hostPattern
	path    []segment
	hubPath []segment // at Docker Hub, where one segment lies below library
	tag     *glob     // nil: any
	digest  string    // "": any
}

// segment is one segment of a pattern's path.
type segment struct {
	glob

	deep bool // **: any number of segments, none included
}

// hostPattern recognises hosts.
type hostPattern struct {
	labels []glob // from left to right
	deeper bool   // a leading *.: one or more labels before the others
	port   string // "": any
	hub    bool   // it stands for one of Docker Hub's names
}

// String returns the pattern as written.
func (p Pattern) String() string { return p.text }

// Match reports whether the pattern matches the reference or, where that leaves its tag
// or digest open, can come to match it. It is the definition that an Index must agree
// with.
func (p Pattern) Match(r Reference) bool {
	return p.matchVersion(r) && p.MatchRepository(r)
}

// MatchRepository reports whether the pattern matches some tag or digest of the
// reference's repository.
func (p Pattern) MatchRepository(r Reference) bool {
	if p.text == "" || !p.anyHost && !p.host.match(r.Host) {
		return false
	}
	return matchPath(p.pathAt(r.Host), strings.Split(r.Path, "/"))
}

// pathAt is the path that is meant at a host.
func (p Pattern) pathAt(host string) []segment {
	if host == Hub && !p.anyHost {
		return p.hubPath
	}
	return p.path
}

// matchVersion reports whether tag and digest are, or can come to be, among those meant.
func (p Pattern) matchVersion(r Reference) bool {
	return (p.tag == nil || r.OpenTag || r.Tag != "" && p.tag.match(r.Tag)) && (p.digest == "" || r.OpenDigest || p.digest == r.Digest)
}

// MayDiffer reports whether the pattern asks for a tag or a digest that the reference
// leaves open: whether it matches depends on what the parameters come to be.
func (p Pattern) MayDiffer(r Reference) bool {
	return p.tag != nil && r.OpenTag && !p.tag.any() || p.digest != "" && r.OpenDigest
}

// matchPath fits segments to a pattern. After a ** the shortest run of segments is
// tried first; going back is only ever needed to the last ** passed, so the time is
// at most the product of both lengths.
func matchPath(pattern []segment, path []string) bool {
	p, s := 0, 0
	deep, resume := -1, 0
	for s < len(path) {
		switch {
		case p < len(pattern) && pattern[p].deep:
			deep, resume = p, s
			p++
		case p < len(pattern) && pattern[p].match(path[s]):
			p++
			s++
		case deep >= 0:
			resume++
			p, s = deep+1, resume
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p].deep {
		p++
	}
	return p == len(pattern)
}

func (h hostPattern) match(host string) bool {
	if host == Hub {
		return h.hub
	}
	return h.matchText(host)
}

func (h hostPattern) matchText(host string) bool {
	name, port := splitPort(host)
	if h.port != "" && h.port != port {
		return false
	}
	labels := hostLabels(name)
	extra := len(labels) - len(h.labels)
	if extra < 0 || h.deeper != (extra > 0) {
		return false
	}
	for i, g := range h.labels {
		if !g.match(labels[extra+i]) {
			return false
		}
	}
	return true
}

// hostLabels splits a host name into its labels. An IPv6 address is one.
func hostLabels(name string) []string {
	if strings.HasPrefix(name, "[") {
		return []string{name}
	}
	return strings.Split(name, ".")
}

// standsForHub reports whether the host is one of Docker Hub's names, or a pattern
// that fits one.
func (h hostPattern) standsForHub() bool {
	return slices.ContainsFunc(append([]string{Hub}, hubAliases...), h.matchText)
}

// exact returns the host where the pattern has no wildcard, without its port.
func (h hostPattern) exact() (string, bool) {
	labels := make([]string, 0, len(h.labels))
	for _, g := range h.labels {
		if g.wild() {
			return "", false
		}
		labels = append(labels, g.literal)
	}
	return strings.Join(labels, "."), !h.deeper
}
