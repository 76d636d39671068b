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
)

// Document is one document of a stream, or an item of a list that is too long to be
// one.
type Document struct {
	File string
	// Path is where the file lies below the folder that was read or, for a file that was
	// named itself, below the working folder. It is empty for a stream and a URL.
	Path  string
	Line  int // of its first line in the file
	Value any // as JSON has it

	chunk  chunk
	root   *yamlv3.Node // read from the text when somebody asks for a place
	starts []int        // of the text's lines, the same
}

// Error is something that can't be read, with the place.
type Error struct {
	File string
	Line int // 0 where no line can be named
	Err  error
	// Template says that the document has template text, which has to be rendered first.
	Template bool
}

// Error says where and what.
func (e *Error) Error() string {
	place, hint := e.File, ""
	if e.Line > 0 {
		place += ":" + strconv.Itoa(e.Line)
	}
	if e.Template {
		hint = "; a template such as {{ … }} has to be rendered first"
	}
	return fmt.Sprintf("%s: %v%s", place, e.Err, hint)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// parse reads a document; nil where there is nothing in it.
func (c chunk) parse() (*Document, error) {
	d := &Document{Line: c.line, chunk: c}
	switch {
	case c.err != nil:
		return nil, c.err
	case c.json:
		return d, d.readJSON()
	case len(bytes.TrimSpace(c.text)) == 0 && c.list == nil, c.directives():
		return nil, nil
	}
	value, err := c.readYAML()
	if err == nil && hidesBreaks(c.text) {
		_, err = c.tree()
	}
	if err != nil {
		return nil, c.mistake(err)
	}
	switch {
	case c.list != nil:
		d.Value, err = c.list.typed(value)
	case value == nil:
		return nil, nil
	default:
		d.Value = value
	}
	return d, err
}

// directives reports whether the text is what may stand before the line that a document
// begins with, such as %YAML 1.2. Kubernetes' readers know one version, and no tags.
func (c chunk) directives() bool {
	found := false
	for line := range bytes.Lines(c.text) {
		switch {
		case line[0] == '%':
			found = true
		case !idle(bytes.TrimLeft(line, " ")):
			return false
		}
	}
	return found
}

// hidesBreaks reports whether there are characters that end a line for YAML, but
// not for split: a document could begin behind one.
func hidesBreaks(text []byte) bool {
	for rest := text; ; {
		i := bytes.IndexByte(rest, '\r')
		if i < 0 {
			break
		}
		if rest = rest[i+1:]; len(rest) == 0 || rest[0] != '\n' {
			return true
		}
	}
	for _, end := range []string{"\u0085", "\u2028", "\u2029"} {
		if bytes.Contains(text, []byte(end)) {
			return true
		}
	}
	return false
}

// surrogate is half of a character in JSON's \u notation, which YAML refuses.
var surrogate = regexp.MustCompile(`(\\u)[dD]([89a-fA-F])`)

// tree reads the nodes of a document with their places; nil where there is nothing
// in it. More than one document is an error: a parser for one would overlook the
// others.
func (c chunk) tree() (*yamlv3.Node, error) {
	text := c.text
	if c.json {
		// The places stay the same with characters of private use instead.
		text = surrogate.ReplaceAll(text, []byte("${1}e$2"))
	}
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
	if len(document.Content) == 0 {
		return nil, nil
	}
	return document.Content[0], nil
}

var lineOf = regexp.MustCompile(`line (\d+): (.*)`)

// located takes the line that a parser names, which counts within the document, to a
// line of the file.
func located(file string, c chunk, err error) *Error {
	template := bytes.Contains(c.text, []byte("{{"))
	match := lineOf.FindStringSubmatch(err.Error())
	if match == nil {
		return &Error{File: file, Line: c.line, Err: errors.New(strings.TrimPrefix(err.Error(), "yaml: ")), Template: template}
	}
	line, convErr := strconv.Atoi(match[1])
	if convErr != nil {
		line = 1
	}
	if !c.json {
		line = lineFeeds(c.text, line)
	}
	return &Error{File: file, Line: c.line + line - 1, Err: errors.New(match[2]), Template: template}
}
