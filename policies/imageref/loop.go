package imageref

import (
	"slices"
	"strings"
)

// FindLoop returns the positions of declared mirrors that lead, alone, together or
// by way of built-in ones, back to where they began; nil where none do.
func FindLoop(declared []Mirror) []int {
	f := loopFinder{mirrors: slices.Concat(declared, builtinMirrors)}
	for start, m := range declared {
		f.visited = make([]bool, len(f.mirrors))
		f.visited[start] = true
		loop := f.follow(way{start: m.prefix, at: m.upstream, by: []int{start}})
		if loop == nil {
			continue
		}
		loop = slices.DeleteFunc(loop, func(i int) bool { return i >= len(declared) })
		slices.Sort(loop)
		return loop
	}
	return nil
}

type loopFinder struct {
	mirrors []Mirror // the declared ones first
	visited []bool
}

// way is where mirrors lead from a place.
type way struct {
	start, at location
	by        []int
}

// follow goes on from mirror to mirror, and returns those that lead back, if any do.
func (f *loopFinder) follow(w way) []int {
	if w.start.holds(w.at.host, w.at.path) {
		return w.by
	}
	if m, ok := daocloudMirror(w.at.host, strings.Join(w.at.path, "/")); ok {
		if on, ok := w.through(m); ok {
			if loop := f.follow(on); loop != nil {
				return loop
			}
		}
	}
	for i, m := range f.mirrors {
		if f.visited[i] {
			continue
		}
		if on, ok := w.through(m); ok {
			f.visited[i] = true
			on.by = append(slices.Clone(w.by), i)
			if loop := f.follow(on); loop != nil {
				return loop
			}
		}
	}
	return nil
}

// through goes on through a mirror. Where its prefix takes only a part of what came so
// far, the way is that part's.
func (w way) through(m Mirror) (way, bool) {
	common := min(len(w.at.path), len(m.prefix.path))
	switch {
	case !m.prefix.hasHost(w.at.host) || !slices.Equal(w.at.path[:common], m.prefix.path[:common]):
		return w, false
	case common == len(m.prefix.path):
		w.at = location{m.upstream.host, slices.Concat(m.upstream.path, w.at.path[common:])}
	default:
		w.start.path = slices.Concat(w.start.path, m.prefix.path[common:])
		w.at = m.upstream
	}
	return w, true
}
