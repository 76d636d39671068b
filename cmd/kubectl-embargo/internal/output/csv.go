package output

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
)

// csvColumns are the columns of CSV in their order, which scripts depend on: new ones
// come last.
var csvColumns = []column{
	{"cluster", func(f Finding) string { return f.Cluster }},
	{"namespace", func(f Finding) string { return f.Namespace }},
	{"apiVersion", func(f Finding) string { return f.APIVersion }},
	{"kind", func(f Finding) string { return f.Kind }},
	{"name", func(f Finding) string { return f.Name }},
	{"container", func(f Finding) string { return f.Container }},
	{"field", func(f Finding) string { return f.Field }},
	{"image", func(f Finding) string { return f.Image }},
	{"canonical", func(f Finding) string { return f.Canonical }},
	{"upstream", func(f Finding) string { return f.Upstream }},
	{"vendor", func(f Finding) string { return f.Vendor }},
	{"restriction", func(f Finding) string { return f.Restriction }},
	{"phase", func(f Finding) string { return f.Phase }},
	{"effective", func(f Finding) string { return rfc3339(f.Effective) }},
	{"evaluatedAt", func(f Finding) string { return rfc3339(&f.EvaluatedAt) }},
	{"use", func(f Finding) string { return string(f.Use) }},
	{"action", func(f Finding) string { return string(f.Action) }},
	{"evidence", func(f Finding) string { return string(f.Evidence) }},
	{"confidence", func(f Finding) string { return string(f.Confidence) }},
	{"policies", func(f Finding) string { return strings.Join(f.Policies, " ") }},
	{"waiver", func(f Finding) string { return f.Waiver }},
	{"nextPhase", func(f Finding) string { return f.next().Phase }},
	{"nextEffective", func(f Finding) string { return rfc3339(&f.next().Effective) }},
	{"nextAction", func(f Finding) string { return string(f.next().Action) }},
	{"since", func(f Finding) string { return rfc3339(f.Since) }},
	{"message", func(f Finding) string { return f.Message }},
	{"sinceFrom", func(f Finding) string { return string(f.SinceFrom) }},
	{"arrivedAfterBan", func(f Finding) string { return strconv.FormatBool(f.ArrivedAfterBan) }},
	{"carrier", func(f Finding) string { return f.Carrier }},
	{"pods", func(f Finding) string { return strconv.Itoa(f.Pods) }},
	{"digests", func(f Finding) string { return strings.Join(f.Digests, " ") }},
	{"alsoNamed", func(f Finding) string { return f.AlsoNamed }},
	{"restartAction", func(f Finding) string { return string(f.RestartAction) }},
	{"restartOwner", func(f Finding) string { return f.RestartOwner }},
}

// printCSV writes a line a finding, as RFC 4180 has it, below a line with the names of
// the columns.
func printCSV(w io.Writer, r *Result, _ bool) error {
	writer := csv.NewWriter(w)
	writer.UseCRLF = true
	line := make([]string, len(csvColumns))
	for i, c := range csvColumns {
		line[i] = c.header
	}
	if err := writer.Write(line); err != nil {
		return err
	}
	for _, f := range r.Findings {
		for i, c := range csvColumns {
			line[i] = noFormula(printable(c.cell(f)))
		}
		if err := writer.Write(line); err != nil {
			return err
		}
	}
	writer.Flush()
	return writer.Error()
}

// noFormula keeps a spreadsheet from taking text for a formula and running it: names
// in manifests may be anybody's. An apostrophe in front is the usual sign for text.
func noFormula(text string) string {
	if text != "" && strings.ContainsRune("=+-@|", rune(text[0])) {
		return "'" + text
	}
	return text
}
