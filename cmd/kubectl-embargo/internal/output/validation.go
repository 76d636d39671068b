package output

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"

	"embargo.dev/internal/display"
)

// Validation is what list validate found; scripts depend on its shape.
type Validation struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Summary    ValidationSummary `json:"summary"`
	Problems   []ListProblem     `json:"problems"`
}

// ValidationSummary counts what was read and found.
type ValidationSummary struct {
	Vendors  int `json:"vendors"`
	Errors   int `json:"errors"`
	Warnings int `json:"warnings"`
}

// ListProblem is a problem of a restricted list, with its place.
type ListProblem struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Vendor   string `json:"vendor"` // "" where it can't be told
	Field    string `json:"field"`  // "" where it can't be told
	Severity string `json:"severity"`
	Message  string `json:"message"`
}

// ValidationFormats are the names of the formats of a Validation.
var ValidationFormats = append([]string{"table"}, StructuredFormats...)

// PrintValidation writes the validation in a format.
func PrintValidation(w io.Writer, format string, v *Validation) error {
	if format != "table" {
		return PrintStructured(w, format, v)
	}
	tabs := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, p := range v.Problems {
		fmt.Fprintf(tabs, "%s:%d:\t%s\t%s\t%s\n", p.File, p.Line, strings.ToLower(p.Severity), orDash(printable(p.Vendor)), harmless(p.Message))
	}
	if err := tabs.Flush(); err != nil {
		return err
	}
	s := v.Summary
	_, err := fmt.Fprintf(w, "%s: %s, %s.\n", display.Count(s.Vendors, "vendor"), display.Count(s.Errors, "error"), display.Count(s.Warnings, "warning"))
	return err
}

// harmless keeps control characters out of a terminal, and quotes as they are.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
