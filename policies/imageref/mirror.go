package imageref

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Mirror says that what lies below a prefix is a copy of what lies below its
// upstream.
type Mirror struct {
	prefix, upstream location
	text             [2]string // as written
}

// location is a host and the first segments of a path.
type location struct {
	host string // canonical
	path []string
}

// ParseMirror reads a mirror such as harbor.example.com/dockerhub for docker.io.
// Both are read as images are, but for a single segment, which is a host.
func ParseMirror(prefix, upstream string) (Mirror, error) {
	m := Mirror{text: [2]string{prefix, upstream}}
	var err error
	if m.prefix, err = parseLocation(prefix); err != nil {
		return Mirror{}, fmt.Errorf("prefix %s: %w", quote(prefix), err)
	}
	if m.upstream, err = parseLocation(upstream); err != nil {
		return Mirror{}, fmt.Errorf("upstream %s: %w", quote(upstream), err)
	}
	if m.prefix.host == m.upstream.host && slices.Equal(m.prefix.path, m.upstream.path) {
		return Mirror{}, errors.New("prefix and upstream are the same place")
	}
	return m, nil
}

// Prefix returns the prefix as written.
func (m Mirror) Prefix() string { return m.text[0] }

// Upstream returns the upstream as written.
func (m Mirror) Upstream() string { return m.text[1] }

func parseLocation(text string) (location, error) {
	segments := strings.Split(text, "/")
	l := location{host: Hub, path: segments}
	if looksLikeHost(segments[0]) {
		l = location{host: segments[0], path: segments[1:]}
	} else if len(segments) == 1 {
		return location{}, errors.New("want a host such as mirror.example.com, or a host and the first segments of a path")
	}
	if !validHost(l.host) && !validSegment(l.host) {
		return location{}, errHost
	}
	for _, s := range l.path {
		if !validSegment(s) {
			return location{}, fmt.Errorf("the segment %s can't be part of a repository; a mirror has no wildcards, tags or digests", quote(s))
		}
	}
	l.host = canonicalHost(l.host)
	return l, nil
}

// holds reports whether the location is the one given or lies above it.
func (l location) holds(host string, path []string) bool {
	if len(path) < len(l.path) || !slices.Equal(path[:len(l.path)], l.path) {
		return false
	}
	return l.hasHost(host)
}

// hasHost reports whether the host is the location's. One without a port stands for
// any port.
func (l location) hasHost(host string) bool {
	name, _ := splitPort(host)
	return host == l.host || name == l.host
}

// rewrite returns the reference at the upstream; false where the reference isn't the
// prefix, as that of one repository's copy is, and doesn't lie below it.
func (m Mirror) rewrite(r Reference) (Reference, bool) {
	path := strings.Split(r.Path, "/")
	if !m.prefix.holds(r.Host, path) {
		return Reference{}, false
	}
	path = slices.Concat(m.upstream.path, path[len(m.prefix.path):])
	if len(path) == 0 {
		return Reference{}, false // a host is no repository
	}
	rewritten := r
	rewritten.Host, rewritten.Path = canonical(m.upstream.host, strings.Join(path, "/"))
	return rewritten, true
}
