package output

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"embargo.dev/policies/v1alpha1"
)

// forecastRow is a transition with one thing that it affects, nil where it affects
// nothing.
type forecastRow struct {
	Transition

	affected *Affected
}

// of shows a field of what is affected.
func (r forecastRow) of(show func(a *Affected) string) string {
	if r.affected == nil {
		return ""
	}
	return show(r.affected)
}

type forecastColumn struct {
	header string
	cell   func(forecastRow) string
}

// ofAffected is a column about what is affected.
func ofAffected(header string, show func(a *Affected) string) forecastColumn {
	return forecastColumn{header, func(r forecastRow) string { return r.of(show) }}
}

var forecastColumns = []forecastColumn{
	{"ON", func(r forecastRow) string { return r.on() }},
	{"DAYS", func(r forecastRow) string { return r.daysLeft() }},
	{"CAUSE", func(r forecastRow) string { return r.cause() }},
	{"EFFECT", func(r forecastRow) string {
		if r.affected == nil {
			return "on nothing that runs"
		}
		return strings.Join(r.affected.Effects, ", ")
	}},
	ofAffected("OBJECT", func(a *Affected) string { return a.object() }),
	ofAffected("CONTAINER", func(a *Affected) string { return printable(a.Container) }),
	ofAffected("IMAGE", func(a *Affected) string { return printable(a.Image) }),
	ofAffected("CLUSTER", func(a *Affected) string { return a.Cluster }),
}

var forecastMore = []forecastColumn{
	{"AT", func(r forecastRow) string { return instant(&r.At) }},
	ofAffected("VENDOR", func(a *Affected) string { return a.Vendor }),
	ofAffected("RESTRICTION", func(a *Affected) string { return a.Restriction }),
	ofAffected("CARRIER", func(a *Affected) string { return printable(a.Carrier) }),
	ofAffected("SINCE", func(a *Affected) string { return instant(a.Since) }),
	ofAffected("POLICIES", func(a *Affected) string { return strings.Join(a.Policies, ",") }),
}

// rows are a line for each thing that is affected, and one for a transition that affects
// nothing.
func (f *Forecast) rows() []forecastRow {
	var rows []forecastRow
	for _, t := range f.Transitions {
		if len(t.Affected) == 0 {
			rows = append(rows, forecastRow{Transition: t})
		}
		for i := range t.Affected {
			rows = append(rows, forecastRow{t, &t.Affected[i]})
		}
	}
	return rows
}

func forecastTable(w io.Writer, f *Forecast, colour bool) error {
	return f.table(w, forecastColumns, colour)
}

func forecastWide(w io.Writer, f *Forecast, colour bool) error {
	return f.table(w, slices.Concat(forecastColumns, forecastMore), colour)
}

func (f *Forecast) table(w io.Writer, columns []forecastColumn, colour bool) error {
	if rows := f.rows(); len(rows) > 0 {
		tabs := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for i, c := range columns {
			fmt.Fprint(tabs, separator(i), paint(colour && i == 0, "", c.header))
		}
		fmt.Fprintln(tabs)
		for _, r := range rows {
			for i, c := range columns {
				action := v1alpha1.ActionAllow
				if r.affected != nil {
					action = r.affected.Action
				}
				fmt.Fprint(tabs, separator(i), paint(colour && i == 0, action, orDash(c.cell(r))))
			}
			fmt.Fprintln(tabs)
		}
		if err := tabs.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	_, err := fmt.Fprintln(w, f.sentence())
	return err
}

// forecastCSVColumns are the columns of CSV in their order, which scripts depend on: new
// ones come last.
var forecastCSVColumns = []forecastColumn{
	{"at", func(r forecastRow) string { return rfc3339(&r.At) }},
	{"on", func(r forecastRow) string { return r.date() }},
	{"days", func(r forecastRow) string { return strconv.Itoa(r.Days) }},
	{"cause", func(r forecastRow) string { return r.cause() }},
	ofAffected("cluster", func(a *Affected) string { return a.Cluster }),
	ofAffected("namespace", func(a *Affected) string { return a.Namespace }),
	ofAffected("apiVersion", func(a *Affected) string { return a.APIVersion }),
	ofAffected("kind", func(a *Affected) string { return a.Kind }),
	ofAffected("name", func(a *Affected) string { return a.Name }),
	ofAffected("carrier", func(a *Affected) string { return a.Carrier }),
	ofAffected("container", func(a *Affected) string { return a.Container }),
	ofAffected("image", func(a *Affected) string { return a.Image }),
	ofAffected("vendor", func(a *Affected) string { return a.Vendor }),
	ofAffected("restriction", func(a *Affected) string { return a.Restriction }),
	ofAffected("effects", func(a *Affected) string { return strings.Join(a.Effects, ", ") }),
	ofAffected("continueBefore", func(a *Affected) string { return string(a.Continue.Before) }),
	ofAffected("continueAfter", func(a *Affected) string { return string(a.Continue.After) }),
	ofAffected("updateBefore", func(a *Affected) string { return string(a.Update.Before) }),
	ofAffected("updateAfter", func(a *Affected) string { return string(a.Update.After) }),
	ofAffected("restartBefore", func(a *Affected) string { return string(a.Restart.Before) }),
	ofAffected("restartAfter", func(a *Affected) string { return string(a.Restart.After) }),
	ofAffected("since", func(a *Affected) string { return rfc3339(a.Since) }),
	ofAffected("policies", func(a *Affected) string { return strings.Join(a.Policies, " ") }),
}

// forecastCSV writes a line for each thing that is affected, below the columns' names.
func forecastCSV(w io.Writer, f *Forecast, _ bool) error {
	writer := csv.NewWriter(w)
	writer.UseCRLF = true
	line := make([]string, len(forecastCSVColumns))
	for i, c := range forecastCSVColumns {
		line[i] = c.header
	}
	if err := writer.Write(line); err != nil {
		return err
	}
	for _, r := range f.rows() {
		for i, c := range forecastCSVColumns {
			line[i] = noFormula(printable(c.cell(r)))
		}
		if err := writer.Write(line); err != nil {
			return err
		}
	}
	writer.Flush()
	return writer.Error()
}
