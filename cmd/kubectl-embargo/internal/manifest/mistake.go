package manifest

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	yamlv3 "go.yaml.in/yaml/v3"
)

// mistake prefers, of what the two parsers say is wrong, what names the line better, and
// names one where neither does.
func (c chunk) mistake(err error) error {
	switch at, ok := firstUnreadable(c.text); {
	case ofGrammar.MatchString(err.Error()):
		return c.ofGrammar(err)
	case unreadable.MatchString(err.Error()) && ok:
		return c.at(at, err)
	case strings.Contains(err.Error(), "tab character"):
		return err // the other parser names the line before
	}
	if match := unknownAnchor.FindStringSubmatch(err.Error()); match != nil {
		return c.at(bytes.Index(c.text, []byte("*"+match[1])), err)
	}
	root, placed := c.tree()
	if placed != nil {
		return placed
	}
	if strings.Contains(err.Error(), "map merge requires") {
		if key := badMerge(root); key != nil {
			return fmt.Errorf("line %d: << takes a map, or a list of maps in its place: %w", key.Line, err)
		}
	}
	return err
}

// badMerge finds the first key << that brings in something else than maps.
func badMerge(node *yamlv3.Node) *yamlv3.Node {
	if node.Kind == yamlv3.MappingNode {
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Tag == mergeTag && !mergeable(node.Content[i+1]) {
				return node.Content[i]
			}
		}
	}
	for _, inner := range node.Content {
		if found := badMerge(inner); found != nil {
			return found
		}
	}
	return nil
}

// mergeable reports whether << takes a value: a map, or a list of maps that is written
// there and not an alias.
func mergeable(value *yamlv3.Node) bool {
	isMap := func(n *yamlv3.Node) bool { return resolve(n).Kind == yamlv3.MappingNode }
	if value.Kind == yamlv3.SequenceNode {
		return !slices.ContainsFunc(value.Content, func(item *yamlv3.Node) bool { return !isMap(item) })
	}
	return isMap(value)
}

var (
	// ofGrammar are mistakes of which the parser counts the lines from 0. It names the
	// line where it noticed; the other parser that where what is incomplete began.
	ofGrammar     = regexp.MustCompile(`(?:line (\d+): )?((?:did not find expected (?:<|node content|key|'-'|',')|found (?:undefined tag handle|duplicate %|incompatible YAML)).*)`)
	unreadable    = regexp.MustCompile(`UTF-|Unicode character|control characters`)
	unknownAnchor = regexp.MustCompile(`unknown anchor '(.*)' referenced`)
)

func (c chunk) ofGrammar(err error) error {
	match := ofGrammar.FindStringSubmatch(err.Error())
	if match[1] == "" {
		return err
	}
	line, convErr := strconv.Atoi(match[1])
	if convErr != nil {
		return err
	}
	// At the end of the text it notices on the line behind it.
	last := parserLine(c.text, len(bytes.TrimRight(c.text, "\n")))
	return fmt.Errorf("line %d: %s", min(line+1, last), match[2])
}

// at adds the line of a place in the text.
func (c chunk) at(place int, err error) error {
	if place < 0 {
		return err
	}
	return fmt.Errorf("line %d: %s", parserLine(c.text, place), strings.TrimPrefix(err.Error(), "yaml: "))
}

// firstUnreadable finds the first character that YAML doesn't take.
func firstUnreadable(text []byte) (int, bool) {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case r == utf8.RuneError && size == 1,
			r < ' ' && r != '\t' && r != '\n' && r != '\r',
			r >= 0x7F && r < 0xA0 && r != 0x85, r == 0xFFFE, r == 0xFFFF:
			return i, true
		}
		i += size
	}
	return 0, false
}
