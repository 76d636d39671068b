package output_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/cmd/kubectl-embargo/internal/output"
	"embargo.dev/policies/v1alpha1"
)

// validate checks a text against the published schema, formats included.
func validate(t *testing.T, text string) {
	t.Helper()
	raw, err := os.ReadFile("testdata/sarif-schema-2.1.0.json")
	require.NoError(t, err)
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	require.NoError(t, compiler.AddResource("sarif.json", schema))
	compiled, err := compiler.Compile("sarif.json")
	require.NoError(t, err)
	instance, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	require.NoError(t, err)
	require.NoError(t, compiled.Validate(instance))
}

// log is as much of a SARIF log as is asked about.
type log struct {
	Runs []struct {
		Tool struct {
			Driver struct {
				Rules []struct {
					ID, HelpURI      string
					ShortDescription struct{ Text string }
					Help             struct{ Text, Markdown string }
				}
			}
		}
		AutomationDetails struct{ ID string }
		Invocations       []struct {
			ExecutionSuccessful        bool
			ToolExecutionNotifications []struct{ Message struct{ Text string } }
		}
		Results []struct {
			RuleID, Level string
			RuleIndex     int
			Locations     []struct {
				PhysicalLocation struct {
					ArtifactLocation struct{ URI, URIBaseID string }
					Region           struct{ StartLine, StartColumn, EndLine, EndColumn int }
				}
			}
			PartialFingerprints map[string]string
		}
	}
}

func readLog(t *testing.T, text string) log {
	t.Helper()
	var l log
	require.NoError(t, json.Unmarshal([]byte(text), &l))
	require.Len(t, l.Runs, 1)
	return l
}

func TestSARIFIsAsTheSchemaSays(t *testing.T) {
	for name, s := range map[string]*sample{
		"findings": checked(t),
		"none":     newSample(t, output.KindCheck, "2024-09-30").add(at("a.yaml", 1, "a"), clean),
		"stdin":    newSample(t, output.KindCheck, "2024-09-30").add(at("<stdin>", 1, "a"), denied),
		"url":      newSample(t, output.KindCheck, "2024-09-30").add(at("https://example.com/a b.yaml", 1, "a"), denied),
		"absolute": newSample(t, output.KindCheck, "2024-09-30").add(at("/srv/a b%.yaml", 1, "a"), denied),
	} {
		t.Run(name, func(t *testing.T) { validate(t, s.print(t, "sarif")) })
	}
}

func TestSARIFPointsToTheValue(t *testing.T) {
	run := readLog(t, checked(t).print(t, "sarif")).Runs[0]
	assert.Equal(t, "embargo/check/", run.AutomationDetails.ID)
	assert.True(t, run.Invocations[0].ExecutionSuccessful)
	first := run.Results[0]
	assert.Equal(t, "kaspersky/us-icts", first.RuleID)
	assert.Equal(t, "error", first.Level)
	place := first.Locations[0].PhysicalLocation
	assert.Equal(t, "deploy/av.yaml", place.ArtifactLocation.URI)
	assert.Equal(t, "%SRCROOT%", place.ArtifactLocation.URIBaseID)
	assert.Equal(t, struct{ StartLine, StartColumn, EndLine, EndColumn int }{21, 18, 21, 40}, place.Region)
	for _, one := range run.Results {
		assert.Equal(t, one.RuleID, run.Tool.Driver.Rules[one.RuleIndex].ID)
	}
}

func TestSARIFHasARuleForEachRestriction(t *testing.T) {
	rules := readLog(t, checked(t).print(t, "sarif")).Runs[0].Tool.Driver.Rules
	var ids []string
	for _, rule := range rules {
		ids = append(ids, rule.ID)
		assert.NotEmpty(t, rule.ShortDescription.Text)
		assert.NotEmpty(t, rule.Help.Text)
		assert.NotEmpty(t, rule.Help.Markdown)
	}
	assert.Equal(t, []string{"kaspersky/us-entity-list", "kaspersky/us-icts", "unparsable"}, ids)
	assert.Equal(t, "https://www.federalregister.gov/citation/89-FR-52434", rules[1].HelpURI)
	assert.Contains(t, rules[1].Help.Markdown, "[89 FR 52434](<https://www.federalregister.gov/citation/89-FR-52434>)")
	assert.Contains(t, rules[1].Help.Text, "2024-09-29 updates-prohibited")
}

func fingerprints(t *testing.T, s *sample) []string {
	t.Helper()
	var prints []string
	for _, one := range readLog(t, s.print(t, "sarif")).Runs[0].Results {
		prints = append(prints, one.PartialFingerprints["primaryLocationLineHash"])
	}
	return prints
}

func TestSARIFFingerprintsSurviveMovedLinesAndDates(t *testing.T) {
	of := func(asOf, image string, line int) []string {
		return fingerprints(t, newSample(t, output.KindCheck, asOf).add(at("a.yaml", line, "a"), image))
	}
	before := of("2024-09-30", denied, 21)
	assert.ElementsMatch(t, before, of("2024-09-30", denied, 99))
	assert.ElementsMatch(t, before, of("2024-08-01", denied, 21))
	assert.NotEqual(t, before, of("2024-09-30", denied+".1", 21), "another version is another finding")
	twice := newSample(t, output.KindCheck, "2024-09-30").add(at("a.yaml", 1, "a"), denied).add(at("a.yaml", 30, "a"), denied)
	prints := fingerprints(t, twice)
	assert.Len(t, prints, 4)
	for i, one := range prints {
		assert.NotContains(t, prints[i+1:], one, "the same object twice in a file is told apart")
	}
}

func TestSARIFSaysWhatIsMissing(t *testing.T) {
	s := checked(t)
	s.Errors = []output.InputError{{File: "b.yaml", Line: 3, Message: "mapping values are not allowed"}}
	text := s.print(t, "sarif")
	validate(t, text)
	run := readLog(t, text).Runs[0]
	assert.True(t, run.Invocations[0].ExecutionSuccessful, "readers drop the results of a run that failed")
	assert.Equal(t, s.Errors[0].String(), run.Invocations[0].ToolExecutionNotifications[0].Message.Text)
}

func TestSARIFHasNoMoreResultsThanReadersTake(t *testing.T) {
	s := newSample(t, output.KindCheck, "2024-09-30").add(at("a.yaml", 1, "weak"), suspected)
	strong := newSample(t, output.KindCheck, "2024-09-30").add(at("a.yaml", 1, "strong"), denied).Findings
	one := strong[slices.IndexFunc(strong, func(f output.Finding) bool { return f.Action == v1alpha1.ActionDeny })]
	for i := range 25_001 {
		one.Name = fmt.Sprintf("strong-%d", i)
		s.Findings = append(s.Findings, one)
	}
	run := readLog(t, s.print(t, "sarif")).Runs[0]
	assert.Len(t, run.Results, 25_000)
	assert.Equal(t, "error", run.Results[0].Level, "the strongest come first")
	assert.Contains(t, run.Invocations[0].ToolExecutionNotifications[0].Message.Text, "25000 of 25003 findings")
}

func TestALiveClusterHasNoSARIF(t *testing.T) {
	err := output.Print(nil, "sarif", &audited(t).Result, false)
	require.ErrorContains(t, err, "no files and lines to point to")
	assert.NotContains(t, output.Formats(true), "sarif")
	assert.NotContains(t, output.Formats(false), "csv")
}
