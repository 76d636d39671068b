package output

import (
	"fmt"
	"io"
	"strings"
)

// forecastJUnit writes a suite for every transition, with a case for every image that it
// newly affects: it fails by what is done at or above --fail-on. A transition that affects
// nothing is a case that passes.
func forecastJUnit(w io.Writer, f *Forecast, _ bool) error {
	r := f.asResult()
	report := &junitSuites{Name: "embargo"}
	if len(f.Errors) > 0 {
		report.add(r.problemSuite())
	}
	for _, t := range f.Transitions {
		suite := r.newSuite(printable(t.on() + " " + t.cause()))
		if len(t.Affected) == 0 {
			suite.add(junitCase{Name: "nothing that runs is affected", Classname: suite.Name, Time: noTime})
		}
		for i := range t.Affected {
			suite.add(t.Affected[i].junitCase(r, &t))
		}
		report.add(suite)
	}
	return report.write(w)
}

func (a *Affected) junitCase(r *Result, t *Transition) junitCase {
	c := junitCase{
		Name:      printable(fmt.Sprintf("%s (%s)", a.Image, a.Field)),
		Classname: printable(fmt.Sprintf("%s/%s", a.Cluster, a.object())),
		Time:      noTime,
	}
	text := fmt.Sprintf("%s %s: %s in %s", a.Action, printable(t.cause()), strings.Join(a.Effects, ", "), t.left())
	if r.fails(a.Action) {
		c.Failure = &junitDetail{Type: string(a.Action), Message: text, Text: text}
	} else {
		c.SystemOut = text
	}
	return c
}
