package imageref

import (
	"strings"
	"sync"
)

// Index matches a reference against many patterns at once. What it costs depends
// on the length of the reference, not on the number of patterns: hosts, segments,
// tags and digests are looked up, and patterns with a wildcard inside a segment are
// found by their literal text. It never changes and is safe for concurrent use.
type Index struct {
	hosts   map[string]*node // by host, with port where the pattern has one
	hub     *node            // of every pattern that stands for Docker Hub
	wild    []wildHosts      // of hosts with wildcards
	anyHost *node
}

// NewIndex makes an index of patterns, which are known by their position.
func NewIndex(patterns []Pattern) *Index {
	x := &Index{hosts: map[string]*node{}, hub: &node{}, anyHost: &node{}}
	for i, p := range patterns {
		if p.text == "" {
			continue
		}
		x.root(p).insert(p.path, p, i)
		// No reference reaches both.
		if p.host.hub {
			x.hub.insert(p.hubPath, p, i)
		}
	}
	return x
}

// root returns the node at which the pattern's path begins at hosts other than Docker
// Hub.
func (x *Index) root(p Pattern) *node {
	if p.anyHost {
		return x.anyHost
	}
	name, exact := p.host.exact()
	switch {
	case exact && p.host.port == "":
		return x.host(name)
	case exact:
		return x.host(name + ":" + p.host.port)
	default:
		return x.wildHosts(p.host.port).root(p.host)
	}
}

func (x *Index) host(name string) *node {
	n, ok := x.hosts[name]
	if !ok {
		n = &node{}
		x.hosts[name] = n
	}
	return n
}

// Match calls visit with the position of each matching pattern, once, in no
// particular order.
func (x *Index) Match(r Reference, visit func(position int)) {
	m := matchings.Get().(*matching)
	defer m.release()
	m.reference, m.visit = r, visit
	m.segments = m.space[:0]
	for segment := range strings.SplitSeq(r.Path, "/") {
		m.segments = append(m.segments, segment)
	}
	m.seen = m.seenSpace[:0]
	m.walk(x.anyHost, 0)
	if r.Host == Hub {
		m.walk(x.hub, 0)
		return
	}
	name, port := splitPort(r.Host)
	if n := x.hosts[name]; n != nil {
		m.walk(n, 0)
	}
	if port != "" {
		if n := x.hosts[r.Host]; n != nil {
			m.walk(n, 0)
		}
	}
	for _, w := range x.wild {
		if w.port == "" || w.port == port {
			m.walkHosts(&w, name)
		}
	}
}

// node is a place in the paths of patterns: what has been read up to it is common
// to all patterns below it.
type node struct {
	literals map[string]*node
	globs    globIndex[*node]
	deep     *node // after **
	ends     versions
}

func (n *node) insert(path []segment, p Pattern, position int) {
	for _, s := range path {
		n = n.child(s)
	}
	n.ends.add(p, position)
}

func (n *node) child(s segment) *node {
	switch {
	case s.deep:
		if n.deep == nil {
			n.deep = &node{}
		}
		return n.deep
	case s.wild():
		return n.globs.at(s.glob, func() *node { return &node{} })
	default:
		if n.literals == nil {
			n.literals = map[string]*node{}
		}
		child, ok := n.literals[s.literal]
		if !ok {
			child = &node{}
			n.literals[s.literal] = child
		}
		return child
	}
}

// matching is one reference being matched.
type matching struct {
	reference Reference
	visit     func(int)
	segments  []string
	seen      []deepVisit

	space     [16]string
	seenSpace [16]deepVisit
}

// matchings are kept for the next reference, so that matching allocates nothing.
var matchings = sync.Pool{New: func() any { return new(matching) }}

// release lets go of all that was matched.
func (m *matching) release() {
	*m = matching{}
	matchings.Put(m)
}

// deepVisit remembers from which segment on a node after a ** was tried. Trying it
// again from a later one would only find the same.
type deepVisit struct {
	node *node
	from int
}

// walk follows the segments from the i-th on.
func (m *matching) walk(n *node, i int) {
	if i == len(m.segments) {
		n.ends.visit(m.reference, m.visit)
	}
	m.step(n, i)
}

// walkDeep tries a node after a ** at every segment from the i-th on.
func (m *matching) walkDeep(n *node, i int) {
	until := len(m.segments)
	known := -1
	for at := range m.seen {
		if m.seen[at].node == n {
			known, until = at, m.seen[at].from-1
		}
	}
	if known < 0 {
		m.seen = append(m.seen, deepVisit{n, i})
		n.ends.visit(m.reference, m.visit)
	} else if i < m.seen[known].from {
		m.seen[known].from = i
	}
	for ; i <= until; i++ {
		m.step(n, i)
	}
}

// step is walk without the end of the path: what ends with a ** has ended for every
// number of segments at once.
func (m *matching) step(n *node, i int) {
	if n.deep != nil {
		m.walkDeep(n.deep, i)
	}
	if i == len(m.segments) {
		return
	}
	if child := n.literals[m.segments[i]]; child != nil {
		m.walk(child, i+1)
	}
	n.globs.match(m.segments[i], func(child *node) { m.walk(child, i+1) })
}
