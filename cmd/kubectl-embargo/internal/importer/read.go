package importer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// File is a list, or a part of one, that is being read.
type File struct {
	Name string
	io.Reader
}

// Side are files that come with OFAC's sdn.csv: its alternate names, its addresses and
// what its remarks had no room for. Each may be nil.
type Side struct{ Alt, Add, Comments *File }

// Formats are the names of the lists that can be read.
var Formats = []string{"csl", "ofac", "opensanctions"}

// Read reads a list. The error is that the rest of it can't be read; what came before was
// visited.
func Read(format string, file File, side Side, v *Visitor) error {
	in := bufio.NewReaderSize(file, 64<<10)
	first, err := firstByte(in)
	if err != nil {
		return &BadRow{Place: file.Name, Err: err}
	}
	file.Reader = in
	switch {
	case format == "csl" && (first == '{' || first == '['):
		return readCSLJSON(file, v)
	case format == "csl" && first != '<':
		return readCSLCSV(file, v)
	case format == "ofac" && first == '<':
		return readOFACXML(file, v)
	case format == "ofac" && first != '{' && first != '[':
		return readOFACCSV(file, side, v)
	case format == "opensanctions" && first != '<' && first != '{' && first != '[':
		return readOpenSanctions(file, v)
	}
	return &BadRow{Place: file.Name, Err: fmt.Errorf("it begins with %q: want %s", first, map[string]string{
		"csl":           "the Consolidated Screening List as JSON or CSV",
		"ofac":          "OFAC's list as XML (SDN.XML) or CSV (SDN.CSV)",
		"opensanctions": "a dataset's targets.simple.csv",
	}[format])}
}

var byteOrderMark = []byte("\uFEFF")

// firstByte returns the first byte that isn't white space, without reading past it.
func firstByte(in *bufio.Reader) (byte, error) {
	if mark, err := in.Peek(len(byteOrderMark)); err == nil && bytes.Equal(mark, byteOrderMark) {
		if _, err := in.Discard(len(mark)); err != nil {
			return 0, err
		}
	}
	for {
		b, err := in.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return 0, errors.New("it is empty")
		case err != nil:
			return 0, err
		case !strings.ContainsRune(" \t\r\n", rune(b)):
			return b, in.UnreadByte()
		}
	}
}

// maxRow is how much a row may take: it is what is held in memory at a time.
const maxRow = 1 << 20

var errTooLong = fmt.Errorf("it takes more than %d bytes", maxRow)

// budget lets a decoder read no more than so much for a row.
type budget struct {
	in   io.Reader
	left int
}

func newBudget(in io.Reader) *budget { return &budget{in: in, left: maxRow} }

func (b *budget) refill() { b.left = maxRow }

// Read reads as long as the budget lasts.
func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.in.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
