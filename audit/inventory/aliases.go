package inventory

import (
	"maps"
	"slices"
	"strings"
)

// aliases are the names that nodes give to the images that they hold: a copy of an
// image has the digest of its original, so that a node which has had both knows it by
// both names.
type aliases struct {
	nodes    map[string][]*namesake
	all      map[string]*namesake
	byDigest map[string]map[*namesake]bool
}

// namesake is an image on some node, by all its names there. Nodes share it.
type namesake struct {
	key     string
	names   []string // as REPOSITORY:TAG or REPOSITORY@DIGEST
	digests []string
	refs    int
}

func newAliases() *aliases {
	return &aliases{nodes: map[string][]*namesake{}, all: map[string]*namesake{}, byDigest: map[string]map[*namesake]bool{}}
}

// set takes what a node holds, each image as the list of its names, and returns the
// digests of which the names changed. A node without images is forgotten.
func (a *aliases) set(node string, images [][]string) map[string]bool {
	changed := map[string]bool{}
	var now []*namesake
	for _, names := range images {
		if n := a.take(names, changed); n != nil {
			now = append(now, n)
		}
	}
	for _, n := range a.nodes[node] {
		a.release(n, changed)
	}
	if len(now) == 0 {
		delete(a.nodes, node)
	} else {
		a.nodes[node] = now
	}
	return changed
}

// take shares an image with other nodes; nil where it has no digest or only one name,
// which tells nothing.
func (a *aliases) take(names []string, changed map[string]bool) *namesake {
	names = slices.Sorted(slices.Values(names))
	key := strings.Join(names, "\x00")
	if n, ok := a.all[key]; ok {
		n.refs++
		return n
	}
	n := &namesake{key: key, names: names, refs: 1}
	for _, name := range names {
		if _, digest, ok := strings.Cut(name, "@"); ok && !slices.Contains(n.digests, digest) {
			n.digests = append(n.digests, digest)
		}
	}
	if len(n.digests) == 0 || len(names) < 2 {
		return nil
	}
	a.all[key] = n
	for _, digest := range n.digests {
		if a.byDigest[digest] == nil {
			a.byDigest[digest] = map[*namesake]bool{}
		}
		a.byDigest[digest][n] = true
		changed[digest] = true
	}
	return n
}

func (a *aliases) release(n *namesake, changed map[string]bool) {
	if n.refs--; n.refs > 0 {
		return
	}
	delete(a.all, n.key)
	for _, digest := range n.digests {
		delete(a.byDigest[digest], n)
		if len(a.byDigest[digest]) == 0 {
			delete(a.byDigest, digest)
		}
		changed[digest] = true
	}
}

// of returns all names and all digests of the images that have the digest, sorted.
func (a *aliases) of(digest string) (names, digests []string) {
	nameSet, digestSet := map[string]bool{}, map[string]bool{}
	for n := range a.byDigest[digest] {
		for _, name := range n.names {
			nameSet[name] = true
		}
		for _, d := range n.digests {
			digestSet[d] = true
		}
	}
	return slices.Sorted(maps.Keys(nameSet)), slices.Sorted(maps.Keys(digestSet))
}
