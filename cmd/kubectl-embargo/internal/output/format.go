package output

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"embargo.dev/internal/escape"
)

// format is a way to print a result.
type format struct {
	name  string
	file  bool // for results of files
	live  bool // for results of clusters
	print func(w io.Writer, r *Result, colour bool) error
}

var formats = []format{
	{"table", true, true, table},
	{"wide", true, true, wide},
	{"json", true, true, printJSON},
	{"yaml", true, true, printYAML},
	{"sarif", true, false, printSARIF},
	{"junit", true, true, printJUnit},
	{"html", true, true, printHTML},
	{"csv", false, true, printCSV},
}

// Formats returns the names of the formats for files, or for live clusters.
func Formats(live bool) []string {
	var names []string
	for _, f := range formats {
		if live && f.live || !live && f.file {
			names = append(names, f.name)
		}
	}
	return names
}

// errNoLines says why SARIF is refused for a cluster.
var errNoLines = errors.New(`-o "sarif": a live cluster has no files and lines to point to, which SARIF is about; for other programs there are json, junit and csv`)

// CheckFormat refuses a name that is no format for files, or for live clusters.
func CheckFormat(name string, live bool) error {
	switch names := Formats(live); {
	case slices.Contains(names, name):
		return nil
	case live && name == "sarif":
		return errNoLines
	default:
		return fmt.Errorf("-o %q: want one of %s", name, strings.Join(names, ", "))
	}
}

// NeedsImages reports whether a format tells all images, not only those with findings.
func NeedsImages(name string) bool { return name == "junit" }

// Print writes the result in a format.
func Print(w io.Writer, name string, r *Result, colour bool) error {
	if err := CheckFormat(name, r.live()); err != nil {
		return err
	}
	// Lists without anything in them are empty, and not null.
	if r.Notices == nil {
		r.Notices = []string{}
	}
	if r.Errors == nil {
		r.Errors = []InputError{}
	}
	if r.Findings == nil {
		r.Findings = []Finding{}
	}
	i := slices.IndexFunc(formats, func(f format) bool { return f.name == name })
	return formats[i].print(w, r, colour)
}

// printJSON writes the findings, which come last, one by one: the encoder would hold
// the whole text in memory twice.
func printJSON(w io.Writer, r *Result, _ bool) error {
	head := *r
	head.Findings = []Finding{}
	text, err := indented(head, "")
	if err != nil {
		return err
	}
	text = bytes.TrimSuffix(text, []byte("]\n}\n"))
	for i := range r.Findings {
		finding, err := indented(&r.Findings[i], "    ")
		if err != nil {
			return err
		}
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(text, "\n    "...), bytes.TrimSuffix(finding, []byte("\n"))...)
		if _, err := w.Write(text); err != nil {
			return err
		}
		text = text[:0]
	}
	if len(r.Findings) > 0 {
		text = append(text, "\n  "...)
	}
	_, err = w.Write(append(text, "]\n}\n"...))
	return err
}

// indented is JSON as people read it, further lines behind a prefix.
func indented(value any, prefix string) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent(prefix, "  ")
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return escape.JSON(text.Bytes()), err
}

func printYAML(w io.Writer, r *Result, _ bool) error { return encodeYAML(w, r) }

// StructuredFormats are the formats that programs read of any value.
var StructuredFormats = []string{"json", "yaml"}

// PrintStructured writes a value in one of them.
func PrintStructured(w io.Writer, format string, value any) error {
	switch format {
	case "json":
		return encodeJSON(w, value)
	case "yaml":
		return encodeYAML(w, value)
	default:
		return fmt.Errorf("-o %q: want one of %s", format, strings.Join(StructuredFormats, ", "))
	}
}

func encodeJSON(w io.Writer, value any) error {
	text, err := indented(value, "")
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

func encodeYAML(w io.Writer, value any) error {
	text, err := MarshalYAML(value)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}
