package manifest

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"

	"sigs.k8s.io/json"
)

// values visits the JSON values that the text begins with, one by one: JSON needs
// nothing between two objects, where YAML would overlook the second. What is no
// JSON is left.
func (s *splitter) values() {
	for {
		if s.mode == blank && !s.beginValue() || s.mode != jsonText {
			return
		}
		if !s.value.scan(s.chunk.text) {
			s.shorten()
			return
		}
		s.endValue()
	}
}

// beginValue looks for the first character; false where there is none yet.
func (s *splitter) beginValue() bool {
	rest := bytes.TrimLeft(s.chunk.text, " \t\r\n")
	switch {
	case len(rest) == 0:
		s.chunk = s.chunk.after(len(s.chunk.text))
		return false
	case rest[0] != '{' && rest[0] != '[':
		s.mode = yamlText
	default:
		s.chunk = s.chunk.after(len(s.chunk.text) - len(rest))
		s.mode, s.value = jsonText, value{}
	}
	return true
}

// shorten lets go of what need not be kept of a value that is not complete yet.
func (s *splitter) shorten() {
	switch {
	case s.value.discarded:
		s.drop(len(s.chunk.text))
	case len(s.chunk.text) > s.limits.list:
		s.takeItems()
	}
}

// drop forgets the first n bytes.
func (s *splitter) drop(n int) {
	s.chunk = s.chunk.after(n)
	s.value.rebase(n)
}

// endValue visits a value that is complete.
func (s *splitter) endValue() {
	n := s.value.position
	text := s.chunk.text[:n]
	switch {
	case s.value.discarded:
	case s.list != nil:
		s.endList()
		n = s.value.position
	case stdjson.Valid(text):
		s.visit(chunk{line: s.chunk.line, column: s.chunk.column, text: text, json: true})
	default:
		s.mode = yamlText // a flow mapping
		return
	}
	s.begin(s.chunk.after(n))
}

// readJSON reads the value from JSON, in which a key given twice is an error too.
func (d *Document) readJSON() error {
	twice, err := json.UnmarshalStrict(d.chunk.text, &d.Value, json.DisallowDuplicateFields)
	switch {
	case err != nil:
		return d.chunk.jsonError(err)
	case len(twice) > 0:
		if at, ok := errors.AsType[json.FieldError](twice[0]); ok {
			line, _ := d.Position(at.FieldPath())
			return fmt.Errorf("line %d: %w", line-d.Line+1, twice[0])
		}
		return twice[0]
	case d.chunk.list != nil:
		d.Value, err = d.chunk.list.typed(d.Value)
	}
	return err
}

// jsonError adds the line, which the text before the error tells.
func (c chunk) jsonError(err error) error {
	if at, ok := errors.AsType[*stdjson.SyntaxError](err); ok {
		passed := c.text[:min(int(at.Offset), len(c.text))]
		return fmt.Errorf("line %d: %w", bytes.Count(passed, []byte("\n"))+1, err)
	}
	return err
}
