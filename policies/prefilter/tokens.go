package prefilter

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"embargo.dev/policies"
	"embargo.dev/policies/imageref"
)

// minToken is the shortest text that is searched for: a shorter one stands in too many
// clean images.
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

// tokens returns the texts to search for, sorted, without any that another one covers.
func tokens(r policies.Recognisers) ([]string, error) {
	var found []string
	for _, digest := range r.Digests {
		_, hex, _ := strings.Cut(digest, ":")
		found = append(found, hex[:digestToken])
	}
	for _, p := range r.Patterns {
		texts, err := patternTokens(p, r.Mirrors)
		if err != nil {
			return nil, err
		}
		found = append(found, texts...)
	}
	return uncovered(found), nil
}

// patternTokens returns the tokens of one pattern: a text that stands in every spelling
// without a mirror and, where undoing a mirror may put just that text in, one for each
// mirror by way of which it does.
func patternTokens(p imageref.Pattern, mirrors []imageref.Mirror) ([]string, error) {
	host, path, digest := p.Literals()
	if digest != "" {
		_, hex, _ := strings.Cut(digest, ":")
		return []string{hex[:digestToken]}, nil
	}
	putsIn := func(text string) bool {
		return slices.ContainsFunc(mirrors, func(m imageref.Mirror) bool { return m.PutsIntoPath(text) })
	}
	if token := longest(slices.DeleteFunc(slices.Clone(path), putsIn)); token != "" {
		return []string{token}, nil
	}
	if token := longest(path); token != "" {
		return behind(p, token, mirrors, func(m imageref.Mirror) bool { return m.PutsIntoPath(token) })
	}
	if token := longest(host); token != "" {
		return behind(p, token, mirrors, func(m imageref.Mirror) bool { return m.PutsHostOf(p) })
	}
	return nil, &TooBroad{Pattern: p.String()}
}

// behind adds to a token those of the mirrors that put it in, and of the mirrors that
// may stand before those.
func behind(p imageref.Pattern, token string, mirrors []imageref.Mirror, putsIn func(imageref.Mirror) bool) ([]string, error) {
	ways := make([]bool, len(mirrors))
	for i, m := range mirrors {
		ways[i] = putsIn(m)
	}
	for range mirrors { // as often as the longest chain could ask for
		for i, m := range mirrors {
			ways[i] = ways[i] || slices.ContainsFunc(slices.Collect(selected(mirrors, ways)), m.MayPrecede)
		}
	}
	found := []string{token}
	for m := range selected(mirrors, ways) {
		prefix := longest(m.PrefixLiterals())
		if prefix == "" {
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

// longest returns the longest text that is long enough to be searched for. The length
// stands for how rare it is.
func longest(texts []string) string {
	best := ""
	for _, text := range texts {
		if len(text) >= minToken && len(text) > len(best) {
			best = text
		}
	}
	return best
}

// uncovered sorts the tokens and drops those that contain another.
func uncovered(all []string) []string {
	slices.SortFunc(all, func(a, b string) int { return len(a) - len(b) })
	var kept []string
	for _, token := range all {
		if !slices.ContainsFunc(kept, func(k string) bool { return strings.Contains(token, k) }) {
			kept = append(kept, token)
		}
	}
	slices.Sort(kept)
	return kept
}
