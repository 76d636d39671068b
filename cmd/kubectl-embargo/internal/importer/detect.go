package importer

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Detect tells by its beginning which list a file is, of those in Formats.
func Detect(file *File) (string, error) {
	in := bufio.NewReaderSize(file.Reader, 64<<10)
	first, err := firstByte(in)
	if err != nil {
		return "", &BadRow{Place: file.Name, Err: err}
	}
	file.Reader = in
	switch first {
	case '<':
		return "ofac", nil
	case '{', '[':
		return "csl", nil
	}
	// What can't be peeked at is told when it is read.
	begins, _ := in.Peek(4 << 10)
	if format := formatOf(begins); format != "" {
		return format, nil
	}
	return "", &BadRow{Place: file.Name, Err: fmt.Errorf("it can't be told what list it is: want --from %s", strings.Join(Formats, ", "))}
}

// formatOf tells CSV by its header, or by the lack of one; "" where it can't.
func formatOf(text []byte) string {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	row, err := csv.NewReader(bytes.NewReader(bytes.ToLower(line))).Read()
	if err != nil {
		return ""
	}
	has := func(columns ...string) bool {
		return !slices.ContainsFunc(columns, func(c string) bool { return !slices.Contains(row, c) })
	}
	switch _, err := strconv.ParseUint(strings.TrimSpace(row[0]), 10, 64); {
	case has("source", "name"):
		return "csl"
	case has("schema", "name"):
		return "opensanctions"
	case err == nil && len(row) == sdnColumns:
		return "ofac"
	default:
		return ""
	}
}
