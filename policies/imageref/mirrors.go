package imageref

import (
	"cmp"
	"slices"
	"strings"
)

// maxChain is how many mirrors may stand one behind the other.
const maxChain = 3

// builtinMirrors are public copies of Docker Hub that need no declaration.
var builtinMirrors = []Mirror{
	mustMirror("mirror.gcr.io", Hub),
	mustMirror("public.ecr.aws/docker/library", Hub+"/library"),
	mustMirror("docker.m.daocloud.io", Hub),
}

// daocloud has copies of any registry, below the registry's host.
const daocloud = "m.daocloud.io"

func mustMirror(prefix, upstream string) Mirror {
	m, err := ParseMirror(prefix, upstream)
	if err != nil {
		panic(err)
	}
	return m
}

// BuiltinMirrors returns the mirrors that every Mirrors has. The copies below
// m.daocloud.io, where the upstream's host is part of the path, come on top.
func BuiltinMirrors() []Mirror { return slices.Clone(builtinMirrors) }

// Mirrors undoes mirrors. It never changes and is safe for concurrent use.
type Mirrors struct {
	byHost map[string][]Mirror // by the prefix's host, the longest prefix first
}

// NewMirrors returns the declared mirrors together with the built-in ones.
func NewMirrors(declared []Mirror) *Mirrors {
	m := &Mirrors{byHost: map[string][]Mirror{}}
	for _, mirror := range slices.Concat(builtinMirrors, declared) {
		m.byHost[mirror.prefix.host] = append(m.byHost[mirror.prefix.host], mirror)
	}
	for _, mirrors := range m.byHost {
		slices.SortStableFunc(mirrors, func(a, b Mirror) int {
			return cmp.Or(cmp.Compare(len(b.prefix.path), len(a.prefix.path)), cmp.Compare(a.Upstream(), b.Upstream()))
		})
	}
	return m
}

// Undo returns every rewriting of a reference in the order of the steps, of which
// there are at most three; the last is the reference with mirrors undone. At each
// step the longest prefix wins; where mirrors with one prefix have different
// upstreams, all of them count. It returns nil where no mirror applies.
func (m *Mirrors) Undo(r Reference) []Reference {
	steps := m.Steps(r)
	if steps == nil {
		return nil
	}
	forms := make([]Reference, 0, len(steps))
	for _, s := range steps {
		forms = append(forms, s.To)
	}
	return forms
}

// Step is the undoing of one mirror.
type Step struct {
	From, To Reference
	Mirror   Mirror
}

// Steps returns how Undo comes to each of its rewritings.
func (m *Mirrors) Steps(r Reference) []Step {
	var steps []Step
	from := []Reference{r}
	for range maxChain {
		var next []Reference
		for _, f := range from {
			for _, s := range m.rewrite(f) {
				if s.To != r && !slices.ContainsFunc(steps, func(known Step) bool { return known.To == s.To }) {
					steps, next = append(steps, s), append(next, s.To)
				}
			}
		}
		if next == nil {
			break
		}
		from = next
	}
	return steps
}

// rewrite returns what the longest prefix makes of the reference.
func (m *Mirrors) rewrite(r Reference) []Step {
	var (
		rewritten []Step
		longest   = -1
	)
	for _, mirror := range m.candidates(r) {
		if longest >= 0 && len(mirror.prefix.path) < longest {
			break
		}
		if to, ok := mirror.rewrite(r); ok {
			rewritten, longest = append(rewritten, Step{From: r, To: to, Mirror: mirror}), len(mirror.prefix.path)
		}
	}
	return rewritten
}

// candidates returns the mirrors whose prefix has the host, with or without its
// port, the longest prefix first.
func (m *Mirrors) candidates(r Reference) []Mirror {
	name, port := splitPort(r.Host)
	found := m.byHost[r.Host]
	if port == "" && name != daocloud {
		return found
	}
	found = slices.Clone(found)
	if port != "" {
		found = append(found, m.byHost[name]...)
	}
	if mirror, ok := daocloudMirror(r.Host, r.Path); ok {
		found = append(found, mirror)
	}
	slices.SortStableFunc(found, func(a, b Mirror) int { return cmp.Compare(len(b.prefix.path), len(a.prefix.path)) })
	return found
}

// daocloudMirror returns the mirror m.daocloud.io/HOST for a path at m.daocloud.io.
func daocloudMirror(at, path string) (Mirror, bool) {
	name, _ := splitPort(at)
	host, _, _ := strings.Cut(path, "/")
	if name != daocloud || !looksLikeHost(host) {
		return Mirror{}, false
	}
	upstream := canonicalHost(host)
	return Mirror{
		prefix: location{host: daocloud, path: []string{host}}, upstream: location{host: upstream},
		text: [2]string{daocloud + "/" + host, upstream},
	}, true
}
