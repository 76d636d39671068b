package imageref

import "strings"

// globIndex finds, of many globs, those that match a text, by what they have in
// literal text: the part before the first star, else the part after the last, else
// three characters of the longest part between.
type globIndex[T any] struct {
	prefixes literalIndex[T]
	suffixes literalIndex[T]
	trigrams map[string][]*globEntry[T]
	others   []*globEntry[T]
}

type globEntry[T any] struct {
	text  string
	glob  glob
	value T
}

// literalIndex has globs by a literal part, and the lengths that such parts have.
type literalIndex[T any] struct {
	entries map[string][]*globEntry[T]
	lengths []int
}

func (l *literalIndex[T]) add(literal string, e *globEntry[T]) {
	if l.entries == nil {
		l.entries = map[string][]*globEntry[T]{}
	}
	if _, known := l.entries[literal]; !known {
		found := false
		for _, n := range l.lengths {
			found = found || n == len(literal)
		}
		if !found {
			l.lengths = append(l.lengths, len(literal))
		}
	}
	l.entries[literal] = append(l.entries[literal], e)
}

const trigram = 3

// at returns the value of a glob, made anew where the glob isn't there yet.
func (x *globIndex[T]) at(g glob, make func() T) T {
	text := strings.Join(g.parts, "*")
	for _, e := range x.bucket(g) {
		if e.text == text {
			return e.value
		}
	}
	e := &globEntry[T]{text: text, glob: g, value: make()}
	x.add(g, e)
	return e.value
}

func (x *globIndex[T]) bucket(g glob) []*globEntry[T] {
	prefix, suffix, inner := g.literals()
	switch {
	case prefix != "":
		return x.prefixes.entries[prefix]
	case suffix != "":
		return x.suffixes.entries[suffix]
	case len(inner) >= trigram:
		return x.trigrams[inner[:trigram]]
	default:
		return x.others
	}
}

func (x *globIndex[T]) add(g glob, e *globEntry[T]) {
	prefix, suffix, inner := g.literals()
	switch {
	case prefix != "":
		x.prefixes.add(prefix, e)
	case suffix != "":
		x.suffixes.add(suffix, e)
	case len(inner) >= trigram:
		if x.trigrams == nil {
			x.trigrams = map[string][]*globEntry[T]{}
		}
		x.trigrams[inner[:trigram]] = append(x.trigrams[inner[:trigram]], e)
	default:
		x.others = append(x.others, e)
	}
}

// literals returns the literal text before the first star, after the last, and the
// longest between.
func (g glob) literals() (prefix, suffix, inner string) {
	prefix, suffix = g.parts[0], g.parts[len(g.parts)-1]
	for _, part := range g.parts[1 : len(g.parts)-1] {
		if len(part) > len(inner) {
			inner = part
		}
	}
	return prefix, suffix, inner
}

// match visits the value of every glob that matches the text.
func (x *globIndex[T]) match(text string, visit func(T)) {
	for _, n := range x.prefixes.lengths {
		if n <= len(text) {
			visitMatching(x.prefixes.entries[text[:n]], text, visit)
		}
	}
	for _, n := range x.suffixes.lengths {
		if n <= len(text) {
			visitMatching(x.suffixes.entries[text[len(text)-n:]], text, visit)
		}
	}
	if len(x.trigrams) > 0 {
		for i := 0; i+trigram <= len(text); i++ {
			// A text may have the same three characters twice; each glob counts once.
			if gram := text[i : i+trigram]; strings.Index(text, gram) == i {
				visitMatching(x.trigrams[gram], text, visit)
			}
		}
	}
	visitMatching(x.others, text, visit)
}

// each visits the value of every glob.
func (x *globIndex[T]) each(visit func(T)) {
	for _, buckets := range []map[string][]*globEntry[T]{x.prefixes.entries, x.suffixes.entries, x.trigrams, {"": x.others}} {
		for _, entries := range buckets {
			for _, e := range entries {
				visit(e.value)
			}
		}
	}
}

func visitMatching[T any](entries []*globEntry[T], text string, visit func(T)) {
	for _, e := range entries {
		if e.glob.match(text) {
			visit(e.value)
		}
	}
}
