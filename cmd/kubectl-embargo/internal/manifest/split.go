package manifest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// chunk is the text of one document, and where it begins in its file.
type chunk struct {
	line   int // from 1
	column int // characters before it on its first line
	text   []byte
	json   bool  // a single JSON value
	list   *list // that it is an item of, if it was taken from one
	err    error // why there is no text
}

// Limits are what reading holds in memory.
type limits struct {
	// document is the longest document. The API server takes no object of more than
	// 3 MiB; lists are longer.
	document int
	// list is from what length on a list is taken apart while it is read.
	list int
}

var defaultLimits = limits{document: 16 << 20, list: 1 << 20}

// splitter cuts a stream at the lines that separate documents, and what is JSON
// between them into its values. It holds one document in memory at a time, and of a
// long list one item.
type splitter struct {
	limits

	visit func(chunk)
	chunk chunk // what is read of the document so far
	mode  mode
	value value // of mode jsonText
	list  *list // of JSON, being taken apart
	block block // the same of YAML
}

// mode is what the document seems to be so far.
type mode int

const (
	blank    mode = iota // nothing yet
	jsonText             // it begins like JSON
	yamlText
	skipped // it is too long, or broken
)

var byteOrderMark = []byte("\uFEFF")

// buffered is what is read at a time.
const buffered = 64 << 10

func split(ctx context.Context, reader *bufio.Reader, within limits, visit func(chunk)) error {
	s := &splitter{limits: within, visit: visit, chunk: chunk{line: 1}}
	for line, begins := 1, true; ctx.Err() == nil; {
		piece, err := reader.ReadSlice('\n')
		if line == 1 && begins {
			piece = bytes.TrimPrefix(piece, byteOrderMark)
		}
		if begins && separates(piece) {
			s.end()
			// What follows on the line keeps its column, also behind tabs, which may not
			// begin a line.
			blanks := len(piece) - len(bytes.TrimLeft(piece[3:], " \t"))
			s.begin(chunk{line: line, text: bytes.Repeat([]byte(" "), blanks)})
			piece = piece[blanks:]
		}
		s.take(piece)
		begins = err == nil
		switch {
		case begins:
			line++
		case errors.Is(err, io.EOF):
			s.end()
			return nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
	return ctx.Err()
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

func (s *splitter) begin(c chunk) {
	s.chunk, s.mode, s.list, s.block = c, blank, nil, block{}
}

// take takes a line, or as much of it as fits into the buffer.
func (s *splitter) take(piece []byte) {
	if s.mode == skipped {
		return
	}
	s.chunk.text = append(s.chunk.text, piece...)
	s.values()
	if s.mode == yamlText && len(s.chunk.text) > s.limits.list {
		s.takeBlock()
	}
	if len(s.chunk.text) > s.document {
		s.fail(fmt.Errorf("the document is longer than %d MiB, which is more than is read at once; only lists may be, in JSON or in YAML's block style", s.document>>20))
	}
}

// fail gives the document up: what follows is read from the next separator on, and
// after JSON from the end of the value on.
func (s *splitter) fail(err error) {
	s.visit(chunk{line: s.chunk.line, err: err})
	if s.mode == jsonText {
		s.value.discarded = true
		return
	}
	s.chunk.text, s.mode = nil, skipped
}

// end ends the document: what is left of it is no JSON, or nothing.
func (s *splitter) end() {
	switch {
	case s.mode == skipped, s.mode == jsonText && s.value.discarded:
	case s.list != nil:
		s.visit(chunk{line: s.chunk.line, err: errors.New("the list ends before it is complete")})
	case s.block.list != nil:
		s.endBlock()
	default:
		s.visit(s.chunk)
	}
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
