// Package manifest reads Kubernetes objects from files, and keeps where each value
// stands.
package manifest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

// Document is one document of a stream.
type Document struct {
	File  string
	Line  int // of its first line in the file
	Value any // as JSON has it

	root *yamlv3.Node
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
	return split(stream, func(line int, text []byte) {
		d, err := parse(file, line, text)
		switch {
		case err != nil:
			broken(err)
		case d != nil:
			visit(d)
		}
	})
}

// split cuts a stream at the lines that separate documents.
func split(stream io.Reader, visit func(line int, text []byte)) error {
	reader := bufio.NewReaderSize(stream, 64<<10)
	var text bytes.Buffer
	start, line := 1, 0
	for {
		content, err := reader.ReadBytes('\n')
		if len(content) > 0 {
			line++
			if separates(content) {
				visit(start, bytes.Clone(text.Bytes()))
				text.Reset()
				start = line
				content = append([]byte("   "), content[3:]...) // what follows on the line keeps its column
			}
			text.Write(content)
		}
		if errors.Is(err, io.EOF) {
			visit(start, text.Bytes())
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func separates(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("---"))
	return ok && (len(bytes.TrimSpace(rest)) == 0 || rest[0] == ' ' || rest[0] == '\t')
}

// parse reads one document; nil where there is nothing in it. The value is read as
// kubectl reads it, and the text once more for the places.
func parse(file string, line int, text []byte) (*Document, *Error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	d := &Document{File: file, Line: line}
	var node yamlv3.Node
	if err := yamlv3.Unmarshal(text, &node); err != nil {
		return nil, located(file, line, err)
	}
	if len(node.Content) == 0 || node.Content[0].Tag == "!!null" {
		return nil, nil
	}
	d.root = node.Content[0]
	raw, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return nil, located(file, line, err)
	}
	if err := yaml.Unmarshal(raw, &d.Value); err != nil {
		return nil, located(file, line, err)
	}
	return d, nil
}

var lineOf = regexp.MustCompile(`line (\d+): `)

// located takes the line that a parser names, which counts within the document, to a
// line of the file.
func located(file string, start int, err error) *Error {
	text := strings.TrimSpace(strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\n", " "), "yaml: "))
	match := lineOf.FindStringSubmatchIndex(text)
	if match == nil {
		return &Error{File: file, Line: start, Err: errors.New(text)}
	}
	n, convErr := strconv.Atoi(text[match[2]:match[3]])
	if convErr != nil {
		n = 1
	}
	return &Error{File: file, Line: start + n - 1, Err: errors.New(text[:match[0]] + text[match[1]:])}
}
