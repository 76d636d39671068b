package output

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"embargo.dev/policies/v1alpha1"
)

// column is a column of a table.
type column struct {
	header string
	cell   func(Finding) string
}

// columns are those of every table.
func (r *Result) columns() []column {
	list := []column{
		{"ACTION", func(f Finding) string { return string(f.Action) }},
		{"VENDOR", func(f Finding) string { return f.Vendor }},
		{"RESTRICTION", func(f Finding) string { return f.Restriction }},
		{"OBJECT", Finding.object},
		{"CONTAINER", func(f Finding) string { return printable(f.Container) }},
		{"IMAGE", func(f Finding) string { return printable(f.Image) }},
	}
	if r.live() {
		list = append(list,
			column{"CLUSTER", func(f Finding) string { return f.Cluster }},
			column{"SINCE", sinceDay},
		)
	} else {
		list = append(list, column{"PLACE", Finding.place})
	}
	return list
}

// reason is the last column of every table: it is as long as it needs to be.
var reason = column{"REASON", func(f Finding) string { return f.Reason() }}

// sinceDay is the day since which the workload has carried the image.
func sinceDay(f Finding) string {
	if f.Since == nil {
		return ""
	}
	return day(*f.Since, time.UTC)
}

// more are the columns of wide tables.
func (r *Result) more() []column {
	list := []column{
		{"EVIDENCE", func(f Finding) string { return string(f.Evidence) }},
		{"CONFIDENCE", func(f Finding) string { return string(f.Confidence) }},
		{"USE", func(f Finding) string { return string(f.Use) }},
		{"PHASE", func(f Finding) string { return f.Phase }},
		{"EFFECTIVE", func(f Finding) string { return instant(f.Effective) }},
		{"NEXT", func(f Finding) string { return f.next().Phase }},
		{"NEXT-ON", func(f Finding) string { return instant(&f.next().Effective) }},
		{"POLICIES", func(f Finding) string { return strings.Join(f.Policies, ",") }},
		{"WAIVER", func(f Finding) string { return f.Waiver }},
	}
	if r.live() {
		list = append(list,
			column{"CARRIER", func(f Finding) string { return printable(f.Carrier) }},
			column{"RESTART", func(f Finding) string { return string(f.RestartAction) }},
		)
	}
	return list
}

func table(w io.Writer, r *Result, colour bool) error {
	return r.table(w, append(r.columns(), reason), colour)
}

func wide(w io.Writer, r *Result, colour bool) error {
	return r.table(w, slices.Concat(r.columns(), r.more(), []column{reason}), colour)
}

// table writes a line a finding, then for each refusal why, and what was counted.
func (r *Result) table(w io.Writer, columns []column, colour bool) error {
	if len(r.Findings) > 0 {
		tabs := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for i, c := range columns {
			fmt.Fprint(tabs, separator(i), paint(colour && i == 0, "", c.header))
		}
		fmt.Fprintln(tabs)
		for _, f := range r.Findings {
			for i, c := range columns {
				fmt.Fprint(tabs, separator(i), paint(colour && i == 0, f.Action, orDash(c.cell(f))))
			}
			fmt.Fprintln(tabs)
		}
		if err := tabs.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	for _, f := range r.Findings {
		if f.Action == v1alpha1.ActionDeny {
			fmt.Fprintf(w, "%s %s: %s\n", paint(colour, f.Action, string(f.Action)), f.object(), f.Message)
		}
	}
	_, err := fmt.Fprintln(w, r.sentence())
	return err
}

func separator(column int) string {
	if column == 0 {
		return ""
	}
	return "\t"
}

// colours are codes of equal length, so that columns stay aligned.
var colours = map[v1alpha1.Action]string{v1alpha1.ActionDeny: "31", v1alpha1.ActionWarn: "33", v1alpha1.ActionAudit: "36"}

func paint(colour bool, action v1alpha1.Action, text string) string {
	if !colour {
		return text
	}
	code, ok := colours[action]
	if !ok {
		code = "01"
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (f Finding) object() string {
	return fmt.Sprintf("%s/%s/%s", printable(f.Kind), orDash(printable(f.Namespace)), orDash(printable(f.Name)))
}

// place is file and line.
func (f Finding) place() string {
	if f.Line == 0 {
		return printable(f.File)
	}
	return fmt.Sprintf("%s:%d", printable(f.File), f.Line)
}

// instant shows an instant in UTC, a whole day as short as it can be.
func instant(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04Z")
}
