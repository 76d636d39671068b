// Package output prints the result of a check.
package output

import (
	"encoding/json"
	"fmt"
	"io"

	"sigs.k8s.io/yaml"

	"embargo.dev/policies"
)

// Result is the result of a check; scripts depend on its shape.
type Result struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	AsOf       string    `json:"asOf"`
	RuleSet    string    `json:"ruleSet"`
	Notices    []string  `json:"notices"`
	Summary    Summary   `json:"summary"`
	Findings   []Finding `json:"findings"`
}

// Summary counts what was read and found.
type Summary struct {
	Objects    int `json:"objects"`
	Skipped    int `json:"skipped"`
	Images     int `json:"images"`
	Deny       int `json:"deny"`
	Warn       int `json:"warn"`
	Audit      int `json:"audit"`
	Unparsable int `json:"unparsable"`
}

// Finding is a finding with its place and its object.
type Finding struct {
	File       string `json:"file"`
	Line       int    `json:"line"`
	Column     int    `json:"column"`
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`

	policies.Finding
}

// Formats are the names of the formats.
var Formats = []string{"table", "json", "yaml"}

// Print writes the result in a format.
func Print(w io.Writer, format string, r *Result, colour bool) error {
	switch format {
	case "json":
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(r)
	case "yaml":
		text, err := yaml.Marshal(r)
		if err != nil {
			return err
		}
		_, err = w.Write(text)
		return err
	case "table":
		return table(w, r, colour)
	default:
		return fmt.Errorf("unknown format %q", format)
	}
}
