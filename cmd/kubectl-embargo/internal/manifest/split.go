package manifest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// chunk is the text of one document, and where it begins in its file.
type chunk struct {
	line   int // from 1
	column int // characters before it on its first line
	text   []byte
	json   bool // a single JSON value
}

var byteOrderMark = []byte("\uFEFF")

// split cuts a stream at the lines that separate documents, and what is JSON
// between them into its values. It holds one document in memory at a time.
func split(stream io.Reader, visit func(chunk)) error {
	reader := bufio.NewReaderSize(stream, 64<<10)
	c := chunk{line: 1}
	for line := 1; ; line++ {
		content, err := reader.ReadBytes('\n')
		if line == 1 {
			content = bytes.TrimPrefix(content, byteOrderMark)
		}
		if separates(content) {
			c.values(visit)
			c = chunk{line: line, text: []byte("   ")} // what follows on the line keeps its column
			content = content[3:]
		}
		c.text = append(c.text, content...)
		if errors.Is(err, io.EOF) {
			c.values(visit)
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// separates recognises the two lines at which YAML ends a document: --- begins
// another, ... may be followed by another.
func separates(line []byte) bool {
	if !bytes.HasPrefix(line, []byte("---")) && !bytes.HasPrefix(line, []byte("...")) {
		return false
	}
	rest := line[3:]
	return len(bytes.TrimSpace(rest)) == 0 || rest[0] == ' ' || rest[0] == '\t'
}

// values visits the JSON values that the text begins with, one by one: JSON needs
// nothing between two objects, where YAML would overlook the second. What is no
// JSON is visited as it is.
func (c chunk) values(visit func(chunk)) {
	text := bytes.TrimLeft(c.text, " \t\r\n")
	if len(text) > 0 && (text[0] == '{' || text[0] == '[') {
		decoder := json.NewDecoder(bytes.NewReader(c.text))
		read := 0
		for decoder.Decode(new(json.RawMessage)) == nil {
			value := c.text[:int(decoder.InputOffset())-read]
			begin := len(value) - len(bytes.TrimLeft(value, " \t\r\n"))
			c = c.after(begin)
			visit(chunk{line: c.line, column: c.column, text: value[begin:], json: true})
			c = c.after(len(value) - begin)
			read += len(value)
		}
	}
	visit(c)
}

// after returns what follows the first n bytes.
func (c chunk) after(n int) chunk {
	passed := c.text[:n]
	if end := bytes.LastIndexByte(passed, '\n'); end >= 0 {
		c.line += bytes.Count(passed, []byte("\n"))
		c.column = 0
		passed = passed[end+1:]
	}
	c.column += utf8.RuneCount(passed)
	c.text = c.text[n:]
	return c
}
