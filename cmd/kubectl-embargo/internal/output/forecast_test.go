package output_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/audit/forecast"
	"embargo.dev/cmd/kubectl-embargo/internal/output"
	"embargo.dev/policies/v1alpha1"
)

// foreseen is a forecast of one phase that affects workloads in two clusters, and a
// waiver that affects nothing.
func foreseen(t *testing.T) *output.Forecast {
	t.Helper()
	s := audited(t)
	f := &output.Forecast{
		APIVersion: "embargo.dev/v1alpha1", Kind: output.KindForecast, AsOf: "2024-08-15", Until: "2025-08-15", RuleSet: s.RuleSet, Background: s.Background,
	}
	at := time.Date(2024, 9, 29, 4, 0, 0, 0, time.UTC)
	for _, name := range []string{"production", "staging"} {
		one := output.Affected{
			Finding: s.Findings[0], Continue: forecast.Change{Before: v1alpha1.ActionWarn, After: v1alpha1.ActionWarn},
			Update: forecast.Change{Before: v1alpha1.ActionWarn, After: v1alpha1.ActionDeny},
		}
		one.Cluster = name
		one.Effects, one.Action = output.EffectsOf(one.Continue, one.Update, one.Restart)
		f.Add(output.Transition{At: at.AddDate(0, 1, 0), Days: 75, Causes: []output.Cause{{
			Type: output.WaiverExpires, Clusters: []string{name}, Vendor: "kaspersky", On: "2024-10-29", Waiver: "for-mail",
		}}})
		f.Add(output.Transition{
			At: at, Days: 45, Affected: []output.Affected{one},
			Causes: []output.Cause{{
				Type: output.PhaseBegins, Clusters: []string{name}, Vendor: "kaspersky", Restriction: "us-icts", Phase: "updates-prohibited",
				Effective: &at, On: "2024-09-29", Summary: "updates are prohibited", Citation: "89 FR 52434", Policies: []string{"default"},
			}},
		})
	}
	f.Count()
	return f
}

func printed(t *testing.T, f *output.Forecast, format string) string {
	t.Helper()
	var text bytes.Buffer
	require.NoError(t, output.PrintForecast(&text, format, f, false))
	return text.String()
}

func TestAForecastIsInOrderOfTimeAndSharesWhatClustersHaveInCommon(t *testing.T) {
	var f output.Forecast
	require.NoError(t, json.Unmarshal([]byte(printed(t, foreseen(t), "json")), &f))
	require.Len(t, f.Transitions, 2)
	assert.Equal(t, "2024-09-29", f.Transitions[0].Causes[0].On)
	require.Len(t, f.Transitions[0].Causes, 1)
	assert.Equal(t, []string{"production", "staging"}, f.Transitions[0].Causes[0].Clusters)
	assert.Len(t, f.Transitions[0].Affected, 2)
	assert.Equal(t, []string{"updates are refused"}, f.Transitions[0].Affected[0].Effects)
	assert.Equal(t, v1alpha1.ActionDeny, f.Transitions[0].Affected[0].Action)
	assert.Equal(t, 2, f.Summary.Workloads)
}

func TestATableOfAForecastSaysAlsoWhatAffectsNothing(t *testing.T) {
	lines := strings.Split(printed(t, foreseen(t), "table"), "\n")
	assert.Equal(t, []string{"ON", "DAYS", "CAUSE", "EFFECT", "OBJECT", "CONTAINER", "IMAGE", "CLUSTER"}, strings.Fields(lines[0]))
	assert.Regexp(t, `^2024-09-29 +45 +kaspersky/us-icts: updates-prohibited +updates are refused +Deployment/mail/av-0 +scanner +\S+ +production$`, lines[1])
	assert.Regexp(t, `^2024-10-29 +75 +waiver for-mail expires +on nothing that runs`, lines[3])
	assert.Equal(t, "2 transitions after 2024-08-15 and up to 2025-08-15 newly affecting 2 running workloads. Read: 0 objects with 0 images.", lines[5])
}

func TestAnEmptyForecastSaysSo(t *testing.T) {
	f := &output.Forecast{AsOf: "2024-08-15", Until: "2025-08-15"}
	assert.Equal(t, "Nothing changes after 2024-08-15 and up to 2025-08-15: no phase begins, and no waiver expires. Read: 0 objects with 0 images.\n", printed(t, f, "table"))
	assert.Contains(t, printed(t, f, "html"), "No phase begins, and no waiver expires.")
	assert.Contains(t, printed(t, f, "json"), `"transitions": []`)
}

func TestNothingReadIsUnknownAndNotNothing(t *testing.T) {
	away := []output.InputError{{Message: "cluster away: can't be reached"}}
	f := &output.Forecast{AsOf: "2024-08-15", Until: "2025-08-15", Clusters: []output.Cluster{{Name: "away"}}, Errors: away}
	assert.Equal(t, "What changes after 2024-08-15 and up to 2025-08-15 is unknown: nothing could be read.\n", printed(t, f, "table"))
	page := printed(t, f, "html")
	assert.Contains(t, page, "<h1>Unknown: nothing could be read</h1>")
	assert.NotContains(t, page, "No phase begins")
	assert.NotContains(t, page, `class="tile`, "what isn't known is not 0")
	f.Clusters = append(f.Clusters, output.Cluster{Name: "here", RuleSet: "sha256:1"})
	assert.Contains(t, printed(t, f, "table"), "in what could be read: 0 objects with 0 images. The rest is unknown.")
	assert.Contains(t, printed(t, f, "html"), "No phase begins, and no waiver expires, in what could be read.")
	f = foreseen(t)
	f.Errors, f.Clusters = away, []output.Cluster{{Name: "here", RuleSet: "sha256:1"}}
	assert.Contains(t, printed(t, f, "table"), "newly affecting 2 running workloads in what could be read")

	s := newSample(t, output.KindAudit, "2024-08-15")
	s.Errors, s.Clusters = away, []output.Cluster{{Name: "away"}}
	assert.Equal(t, "What runs as of 2024-08-15 is unknown: nothing could be read.\n", s.print(t, "table"))
	page = s.print(t, "html")
	assert.Contains(t, page, "<h1>Unknown: nothing could be read</h1>")
	assert.NotContains(t, page, "None")
	assert.NotContains(t, page, `class="tile`)
	s = checked(t)
	s.Findings, s.Errors = nil, []output.InputError{{File: "a.yaml", Line: 1, Message: "odd"}}
	assert.Contains(t, s.print(t, "table"), "No findings in what could be read (4 objects with 4 images as of 2024-09-30).")
	assert.Contains(t, s.print(t, "html"), "None in what could be read.")
}

func TestATransitionTomorrowHasItsTimeAndZone(t *testing.T) {
	f := foreseen(t)
	newYork, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	f.Transitions[0].Left, f.Transitions[0].Zone = 30*time.Hour, newYork
	assert.Regexp(t, `(?m)^2024-09-29 00:00 EDT +30 hours `, printed(t, f, "table"))
	assert.Contains(t, printed(t, f, "html"), "2024-09-29 00:00 EDT</span> in 30 hours")
	assert.Contains(t, printed(t, f, "junit"), "in 30 hours")
	assert.Contains(t, printed(t, f, "csv"), ",2024-09-29,45,", "programs get days")
}

func TestACSVOfAForecastHasALineForEachThingAffected(t *testing.T) {
	f := foreseen(t)
	f.Transitions[0].Affected[0].Name = "=HYPERLINK()"
	rows, err := csv.NewReader(strings.NewReader(printed(t, f, "csv"))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 4)
	column := func(name string) int { return indexIn(rows[0], name) }
	assert.Equal(t, "'=HYPERLINK()", rows[1][column("name")])
	assert.Equal(t, "updates are refused", rows[1][column("effects")])
	assert.Equal(t, "Deny", rows[1][column("updateAfter")])
	assert.Empty(t, rows[3][column("name")])
}

func TestAJUnitReportOfAForecastHasASuiteForEachTransition(t *testing.T) {
	f := foreseen(t)
	f.FailOn, f.Errors = v1alpha1.ActionDeny, []output.InputError{{Message: "cluster away: can't be read"}}
	var report struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Suites   []struct {
			Name  string `xml:"name,attr"`
			Cases []struct {
				Classname string `xml:"classname,attr"`
				Failure   string `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	require.NoError(t, xml.Unmarshal([]byte(printed(t, f, "junit")), &report))
	assert.Equal(t, []int{4, 2, 1}, []int{report.Tests, report.Failures, report.Errors})
	require.Len(t, report.Suites, 3)
	assert.Equal(t, "2024-09-29 kaspersky/us-icts: updates-prohibited", report.Suites[1].Name)
	assert.Equal(t, "production/Deployment/mail/av-0", report.Suites[1].Cases[0].Classname)
	assert.Equal(t, "Deny kaspersky/us-icts: updates-prohibited: updates are refused in 45 days", report.Suites[1].Cases[0].Failure)
	assert.Empty(t, report.Suites[2].Cases[0].Failure, "the waiver that expires affects nothing")
	f.FailOn = ""
	require.NotContains(t, printed(t, f, "junit"), "<failure")
}

func indexIn(list []string, what string) int {
	for i, text := range list {
		if text == what {
			return i
		}
	}
	return -1
}

func TestAPageOfAForecastNeedsNothingButItself(t *testing.T) {
	f := foreseen(t)
	f.Transitions[0].Affected[0].Name = "<script>alert(1)</script>"
	f.Errors = []output.InputError{{Message: "cluster staging: namespace web: pods: can't be read"}}
	text := printed(t, f, "html")
	assert.NotRegexp(t, `(?i)<(link|img|iframe|base|script|object|embed)\b`, text)
	assert.NotRegexp(t, `(?i)\sstyle=|\son[a-z]+=`, text, "the policy forbids both")
	assert.Contains(t, text, `<h1>2 running workloads newly affected until 2025-08-15</h1>`)
	assert.Contains(t, text, `class="timeline"`)
	assert.Contains(t, text, "Exposure by namespace")
	assert.Contains(t, text, "cluster staging: namespace web: pods")
}
