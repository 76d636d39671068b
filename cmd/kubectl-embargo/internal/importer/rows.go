package importer

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// rowReader reads CSV row by row. A stray quote makes a usual CSV reader swallow the rows
// that follow; this one gives up only the row that has it.
type rowReader struct {
	in      *bufio.Reader
	pending [][]byte // lines that were read ahead and given back
	line    int      // number of the line that comes next
	ended   bool
}

func newRowReader(in io.Reader) *rowReader {
	return &rowReader{in: bufio.NewReaderSize(in, 64<<10), line: 1}
}

// each visits every row of so many fields, 0 for any number, with the line that it begins
// at; others go to bad. Blank rows and the mark by which DOS ended files are passed over.
// The error is the reader's.
func (r *rowReader) each(fields int, visit func(line int, row []string), bad func(line int, err error)) error {
	for {
		lines, err := r.next()
		if len(lines) == 0 {
			return err
		}
		start := r.line
		row, err := parseRow(lines, fields)
		if err != nil {
			// What follows the first line may be good rows.
			r.pending = append(lines[1:], r.pending...)
			r.line++
			bad(start, err)
			continue
		}
		r.line += len(lines)
		if row != nil {
			visit(start, row)
		}
	}
}

// next returns the lines of the next row: the quotes in them are balanced, or the row is
// too long or the last.
func (r *rowReader) next() ([][]byte, error) {
	var (
		lines  [][]byte
		quotes int
		size   int
	)
	for size <= maxRow {
		line, err := r.readLine()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return lines, nil
			}
			return nil, err
		}
		lines = append(lines, line)
		size += len(line)
		if quotes += bytes.Count(line, []byte(`"`)); quotes%2 == 0 {
			break
		}
	}
	return lines, nil
}

// readLine returns the next line with its end; of a line that is too long as much as
// shows that it is.
func (r *rowReader) readLine() ([]byte, error) {
	if len(r.pending) > 0 {
		line := r.pending[0]
		r.pending = r.pending[1:]
		return line, nil
	}
	if r.ended {
		return nil, io.EOF
	}
	var line []byte
	for {
		part, err := r.in.ReadSlice('\n')
		if len(line) <= maxRow {
			line = append(line, part...)
		}
		switch {
		case err == nil:
			return line, nil
		case errors.Is(err, io.EOF):
			r.ended = true
			if len(line) == 0 {
				return nil, io.EOF
			}
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

// parseRow reads a row; nil where there is nothing in it.
func parseRow(lines [][]byte, fields int) ([]string, error) {
	text := bytes.Join(lines, nil)
	switch {
	case len(text) > maxRow && len(lines) > 1:
		return nil, errors.New("a quote in it is never closed")
	case len(text) > maxRow:
		return nil, errTooLong
	case len(bytes.Trim(text, "\x1a \t\r\n")) == 0:
		return nil, nil
	case !utf8.Valid(text):
		return nil, errors.New("it is not UTF-8")
	}
	reader := csv.NewReader(bytes.NewReader(text))
	reader.FieldsPerRecord = -1
	row, err := reader.Read()
	if err != nil {
		if parse, ok := errors.AsType[*csv.ParseError](err); ok {
			err = parse.Err
		}
		return nil, err
	}
	if fields > 0 && len(row) != fields {
		return nil, fmt.Errorf("it has %d fields where %d should be", len(row), fields)
	}
	return row, nil
}

// eachNamed reads CSV with a header: a row is visited by the names of its columns, in
// whatever order they stand.
func eachNamed(file File, required []string, visit func(place string, row map[string]string), bad func(place string, err error)) error {
	r := newRowReader(file)
	place := func(line int) string { return fmt.Sprintf("%s:%d", file.Name, line) }
	header, err := r.header()
	if err != nil {
		return &BadRow{Place: place(r.line), Err: err}
	}
	known := map[string]bool{}
	for _, name := range header {
		known[name] = true
	}
	for _, name := range required {
		if !known[name] {
			return &BadRow{Place: place(1), Err: fmt.Errorf("the header has no column %q", name)}
		}
	}
	err = r.each(len(header), func(line int, row []string) {
		named := make(map[string]string, len(row))
		for i, name := range header {
			named[name] = row[i]
		}
		visit(place(line), named)
	}, func(line int, err error) { bad(place(line), err) })
	if err != nil {
		return &BadRow{Place: place(r.line), Err: err}
	}
	return nil
}

// header reads the first row that isn't blank.
func (r *rowReader) header() ([]string, error) {
	for {
		lines, err := r.next()
		switch {
		case err != nil:
			return nil, err
		case len(lines) == 0:
			return nil, errors.New("there is no header")
		}
		row, err := parseRow(lines, 0)
		if err != nil {
			return nil, fmt.Errorf("reading the header: %w", err)
		}
		r.line += len(lines)
		if row == nil {
			continue
		}
		for i := range row {
			row[i] = string(bytes.ToLower(bytes.TrimSpace([]byte(row[i]))))
		}
		return row, nil
	}
}
