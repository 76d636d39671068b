package manifest

import (
	"bytes"
	"sort"
	"unicode/utf8"
)

// YAML ends lines with more characters than editors, grep and code hosts do, which count
// line feeds. The parser counts YAML's lines, so its places have to be converted.

// lineStarts returns where each line of a text begins, as YAML counts them.
func lineStarts(text []byte) []int {
	starts := []int{0}
	for i := 0; i < len(text); {
		size := breakAt(text[i:])
		if size == 0 {
			i++
			continue
		}
		i += size
		starts = append(starts, i)
	}
	return starts
}

// breakAt returns the length of the line break that a text begins with, 0 where there is
// none (YAML 1.1, section 4.1.4).
func breakAt(text []byte) int {
	switch {
	case text[0] == '\n':
		return 1
	case text[0] == '\r':
		if len(text) > 1 && text[1] == '\n' {
			return 2
		}
		return 1
	case bytes.HasPrefix(text, []byte("\u0085")):
		return 2
	case bytes.HasPrefix(text, []byte("\u2028")), bytes.HasPrefix(text, []byte("\u2029")):
		return 3
	default:
		return 0
	}
}

// offset returns the byte at which a place of the parser's lies.
func offset(text []byte, starts []int, line, column int) int {
	if line < 1 || line > len(starts) {
		return len(text)
	}
	at := starts[line-1]
	for range column - 1 {
		_, size := utf8.DecodeRune(text[at:])
		at += size
	}
	return at
}

// lineFeeds converts a line of the parser's to one as editors count them, both from 1.
func lineFeeds(text []byte, line int) int {
	if !hidesBreaks(text) {
		return line
	}
	return bytes.Count(text[:offset(text, lineStarts(text), line, 1)], []byte("\n")) + 1
}

// parserLine returns the line of a byte, as the parser counts them.
func parserLine(text []byte, at int) int {
	starts := lineStarts(text)
	return sort.SearchInts(starts, at+1)
}
