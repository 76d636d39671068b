package output

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// forecastFormat is a way to print a forecast.
type forecastFormat struct {
	name  string
	print func(w io.Writer, f *Forecast, colour bool) error
}

var forecastFormats = []forecastFormat{
	{"table", forecastTable},
	{"wide", forecastWide},
	{"json", func(w io.Writer, f *Forecast, _ bool) error { return encodeJSON(w, f) }},
	{"yaml", func(w io.Writer, f *Forecast, _ bool) error { return encodeYAML(w, f) }},
	{"junit", forecastJUnit},
	{"html", forecastHTML},
	{"csv", forecastCSV},
}

// ForecastFormats are the names of the formats of a Forecast.
func ForecastFormats() []string {
	var names []string
	for _, f := range forecastFormats {
		names = append(names, f.name)
	}
	return names
}

// CheckForecastFormat refuses a name that is no format of a Forecast.
func CheckForecastFormat(name string) error {
	switch names := ForecastFormats(); {
	case slices.Contains(names, name):
		return nil
	case name == "sarif":
		return errNoLines
	default:
		return fmt.Errorf("-o %q: want one of %s", name, strings.Join(names, ", "))
	}
}

// PrintForecast writes the forecast in a format.
func PrintForecast(w io.Writer, name string, f *Forecast, colour bool) error {
	if err := CheckForecastFormat(name); err != nil {
		return err
	}
	// Lists without anything in them are empty, and not null.
	f.Notices = append([]string{}, f.Notices...)
	f.Transitions = append([]Transition{}, f.Transitions...)
	for i := range f.Transitions {
		t := &f.Transitions[i]
		t.Affected = append([]Affected{}, t.Affected...)
		for j := range t.Causes {
			t.Causes[j].Policies = append([]string{}, t.Causes[j].Policies...)
		}
	}
	i := slices.IndexFunc(forecastFormats, func(o forecastFormat) bool { return o.name == name })
	return forecastFormats[i].print(w, f, colour)
}
