package prefilter

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"embargo.dev/policies"
	"embargo.dev/policies/imageref"
)

// token is a text that is searched for. It may have to stand at the start or at the end
// of a segment, so that a short name isn't found inside other words.
type token = imageref.Literal

// minToken is the shortest text that is searched for, unless it is a whole segment: a
// shorter one stands in too many clean images.
const minToken = 3

// digestToken is how much of a listed digest is searched for, in hexadecimal digits:
// enough that no other digest has it.
const digestToken = 20

// TooBroad is a pattern without text that every spelling of its images must contain.
type TooBroad struct {
	Pattern string
	Mirror  string // by way of which, "" for none
}

// Error says which pattern, and why.
func (e *TooBroad) Error() string {
	by := ""
	if e.Mirror != "" {
		by = fmt.Sprintf(" behind the mirror %s", e.Mirror)
	}
	return fmt.Sprintf("pattern %q%s has no text that every spelling of its images must contain", e.Pattern, by)
}

// tokens returns what to search for, sorted, without any that another one covers.
func tokens(r policies.Recognisers) ([]token, error) {
	var found []token
	for _, digest := range r.Digests {
		found = append(found, tokenOfDigest(digest))
	}
	for _, p := range r.Patterns {
		some, err := tokensOfPattern(p, r.Mirrors)
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	return uncovered(found), nil
}

func tokenOfDigest(digest string) token {
	_, hex, _ := strings.Cut(digest, ":")
	return token{Text: hex[:digestToken]}
}

// tokensOfPattern returns the tokens of one pattern: a text that stands in every
// spelling without a mirror and, where undoing a mirror may put just that text in, one
// for each mirror by way of which it does.
func tokensOfPattern(p imageref.Pattern, mirrors []imageref.Mirror) ([]token, error) {
	host, path, digest := p.Literals()
	if digest != "" {
		return []token{tokenOfDigest(digest)}, nil
	}
	putIn := func(l token) bool {
		return slices.ContainsFunc(mirrors, func(m imageref.Mirror) bool { return m.PutsIntoPath(l.Text) })
	}
	if best, ok := rarest(slices.DeleteFunc(slices.Clone(path), putIn)); ok {
		return []token{best}, nil
	}
	if best, ok := rarest(path); ok {
		return behind(p, best, mirrors, func(m imageref.Mirror) bool { return m.PutsIntoPath(best.Text) })
	}
	if best, ok := rarest(host); ok {
		return behind(p, best, mirrors, func(m imageref.Mirror) bool { return m.PutsHostOf(p) })
	}
	return nil, &TooBroad{Pattern: p.String()}
}

// behind adds to a token those of the mirrors that put it in, and of the mirrors that
// may stand before those.
func behind(p imageref.Pattern, t token, mirrors []imageref.Mirror, putsIn func(imageref.Mirror) bool) ([]token, error) {
	ways := make([]bool, len(mirrors))
	for i, m := range mirrors {
		ways[i] = putsIn(m)
	}
	for range mirrors { // as often as the longest chain could ask for
		for i, m := range mirrors {
			ways[i] = ways[i] || slices.ContainsFunc(slices.Collect(selected(mirrors, ways)), m.MayPrecede)
		}
	}
	found := []token{t}
	for m := range selected(mirrors, ways) {
		prefix, ok := rarest(m.PrefixLiterals())
		if !ok {
			return nil, &TooBroad{Pattern: p.String(), Mirror: m.Prefix()}
		}
		found = append(found, prefix)
	}
	return found, nil
}

func selected(mirrors []imageref.Mirror, ways []bool) iter.Seq[imageref.Mirror] {
	return func(yield func(imageref.Mirror) bool) {
		for i, m := range mirrors {
			if ways[i] && !yield(m) {
				return
			}
		}
	}
}

// rarest returns the literal that stands in the fewest real image names, the longest of
// those; false where none can be searched for.
func rarest(literals []token) (token, bool) {
	usable := slices.DeleteFunc(slices.Clone(literals), func(l token) bool {
		return len(l.Text) < minToken && (!l.Starts || !l.Ends)
	})
	switch len(usable) {
	case 0:
		return token{}, false
	case 1:
		return usable[0], true // most patterns have one, and counting takes its time
	}
	return slices.MinFunc(usable, func(a, b token) int {
		return cmp.Or(cmp.Compare(occurrences(a), occurrences(b)), cmp.Compare(len(b.Text), len(a.Text)))
	}), true
}

// uncovered sorts the tokens and drops those in which another one stands anyhow.
func uncovered(all []token) []token {
	slices.SortFunc(all, compare)
	all = slices.Compact(all)
	unbound := slices.DeleteFunc(slices.Clone(all), func(t token) bool { return t.Starts || t.Ends })
	return slices.DeleteFunc(all, func(t token) bool {
		return slices.ContainsFunc(unbound, func(u token) bool { return u != t && strings.Contains(t.Text, u.Text) })
	})
}

// compare sorts by text, so that neighbours share what they begin with.
func compare(a, b token) int {
	return cmp.Or(strings.Compare(a.Text, b.Text), compareBool(a.Starts, b.Starts), compareBool(a.Ends, b.Ends))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}
