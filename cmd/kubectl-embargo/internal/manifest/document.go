// Package manifest reads Kubernetes objects from files, and keeps where each value
// stands.
package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// Document is one document of a stream.
type Document struct {
	File  string
	Line  int // of its first line in the file
	Value any // as JSON has it

	column int // characters before it on its first line
	root   *yamlv3.Node
}

// Error is something that can't be read, with the place.
type Error struct {
	File string
	Line int // 0 where no line can be named
	Err  error
}

// Error says where and what.
func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Documents reads the documents of a YAML or JSON stream, one at a time, and hands
// each that isn't empty to visit. A document that can't be read goes to broken, and
// the rest is read all the same. Only a failing reader ends it with an error.
func Documents(file string, stream io.Reader, visit func(*Document), broken func(*Error)) error {
	return split(stream, func(c chunk) {
		d, err := c.parse()
		switch {
		case err != nil:
			broken(located(file, c.line, err))
		case d != nil:
			d.File = file
			visit(d)
		}
	})
}

// surrogate is half of a character in JSON's \u notation, which YAML refuses.
var surrogate = regexp.MustCompile(`(\\u)[dD]([89a-fA-F])`)

// parse reads a document; nil where there is nothing in it. The value is read as
// kubectl reads it, and the text once more for the places.
func (c chunk) parse() (*Document, error) {
	text := c.text
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	if c.json {
		// The places stay the same with characters of private use instead.
		text = surrogate.ReplaceAll(text, []byte("${1}e$2"))
	}
	root, err := tree(text)
	if err != nil || root == nil {
		return nil, err
	}
	d := &Document{Line: c.line, column: c.column, root: root}
	if c.json {
		return d, d.readJSON(c.text)
	}
	raw, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return nil, err
	}
	return d, json.UnmarshalCaseSensitivePreserveInts(raw, &d.Value)
}

// readJSON reads the value from JSON, in which a key given twice is an error too.
func (d *Document) readJSON(text []byte) error {
	twice, err := json.UnmarshalStrict(text, &d.Value, json.DisallowDuplicateFields)
	if err != nil || len(twice) == 0 {
		return err
	}
	if at, ok := errors.AsType[json.FieldError](twice[0]); ok {
		line, _ := d.Position(at.FieldPath())
		return fmt.Errorf("line %d: %w", line-d.Line+1, twice[0])
	}
	return twice[0]
}

// tree reads the nodes of a document; nil where there is nothing in it. More than
// one document is an error: a parser for one would overlook the others.
func tree(text []byte) (*yamlv3.Node, error) {
	var document, another yamlv3.Node
	decoder := yamlv3.NewDecoder(bytes.NewReader(text))
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, err
	}
	switch err := decoder.Decode(&another); {
	case err == nil:
		return nil, fmt.Errorf("line %d: another document begins without a line --- before it", another.Line)
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	if len(document.Content) == 0 || document.Content[0].ShortTag() == "!!null" {
		return nil, nil
	}
	return document.Content[0], nil
}

var lineOf = regexp.MustCompile(`line (\d+): (.*)`)

// located takes the line that a parser names, which counts within the document, to a
// line of the file.
func located(file string, start int, err error) *Error {
	match := lineOf.FindStringSubmatch(err.Error())
	if match == nil {
		return &Error{File: file, Line: start, Err: errors.New(strings.TrimPrefix(err.Error(), "yaml: "))}
	}
	line, convErr := strconv.Atoi(match[1])
	if convErr != nil {
		line = 1
	}
	return &Error{File: file, Line: start + line - 1, Err: errors.New(match[2])}
}
