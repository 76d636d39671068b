package manifest

import (
	"bytes"
	"strings"
	"unicode/utf8"

	yamlv3 "go.yaml.in/yaml/v3"
)

// Place is where a value stands in its file, all from 1.
type Place struct {
	Line   int
	Column int // in characters
	// EndColumn is the column behind the value, 0 where it takes several lines.
	EndColumn int
}

// Place returns the place of the value at a JSON path such as
// spec.containers[0].image. Where the path ends early, it is that of the last part
// that is there.
func (d *Document) Place(path string) Place {
	node := d.node(path)
	if node == nil {
		return Place{Line: d.Line, Column: 1 + d.chunk.column}
	}
	text := d.chunk.text
	at := d.offset(node)
	lineStart := bytes.LastIndexByte(text[:at], '\n') + 1
	line := 1 + bytes.Count(text[:lineStart], []byte("\n"))
	p := Place{Line: d.Line + line - 1, Column: 1 + utf8.RuneCount(text[lineStart:at])}
	if node.Kind == yamlv3.ScalarNode {
		rest, _, _ := strings.Cut(string(text[at:]), "\n")
		before := properties(rest)
		p.Column += utf8.RuneCountInString(rest[:before])
		if length := scalarLength(rest[before:], node.Value); length > 0 {
			p.EndColumn = p.Column + length
		}
	}
	if line == 1 {
		p.Column += d.chunk.column
		if p.EndColumn > 0 {
			p.EndColumn += d.chunk.column
		}
	}
	return p
}

// Position returns line and column of the value at a path.
func (d *Document) Position(path string) (line, column int) {
	p := d.Place(path)
	return p.Line, p.Column
}

// node finds the value at a path; nil where the text can't be read for places, as
// JSON with keys that are too long for YAML.
func (d *Document) node(path string) *yamlv3.Node {
	if d.root == nil {
		root, err := d.chunk.tree()
		if err != nil || root == nil {
			return nil
		}
		d.root = root
	}
	node := d.root
	for _, step := range steps(path) {
		next := child(resolve(node), step)
		if next == nil {
			break
		}
		node = next
	}
	return node
}

// offset returns the byte at which a node begins.
func (d *Document) offset(node *yamlv3.Node) int {
	if d.starts == nil {
		d.starts = lineStarts(d.chunk.text)
	}
	return offset(d.chunk.text, d.starts, node.Line, node.Column)
}

// properties is the length of an anchor and a tag that stand before a value on its line.
func properties(text string) int {
	rest := text
	for rest != "" && (rest[0] == '&' || rest[0] == '!') {
		end := strings.IndexAny(rest, " \t")
		if end < 0 {
			return 0 // the value stands on another line
		}
		rest = strings.TrimLeft(rest[end:], " \t")
	}
	if rest == "" || rest[0] == '#' {
		return 0
	}
	return len(text) - len(rest)
}

// scalarLength counts the characters of a scalar as it is written, quotes included; 0
// where it takes several lines.
func scalarLength(rest, value string) int {
	switch {
	case strings.HasPrefix(rest, `"`):
		return quotedLength(rest, '"', '\\')
	case strings.HasPrefix(rest, `'`):
		return quotedLength(rest, '\'', '\'')
	case strings.HasPrefix(rest, value):
		return utf8.RuneCountInString(value)
	default:
		return 0
	}
}

// quotedLength counts up to the closing quote. In double quotes a backslash takes the
// next character with it, in single quotes a quote does.
func quotedLength(text string, quote, escape rune) int {
	runes := []rune(text)
	for i := 1; i < len(runes); i++ {
		switch {
		case runes[i] == escape && i+1 < len(runes) && (escape != quote || runes[i+1] == quote):
			i++
		case runes[i] == quote:
			return i + 1
		}
	}
	return 0
}
