package output_test

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/cmd/kubectl-embargo/internal/output"
	"embargo.dev/policies/v1alpha1"
)

// report is what Jenkins and GitLab read: names are identities to both, and counts
// must add up.
type report struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Suites   []struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Cases    []struct {
			Name      string  `xml:"name,attr"`
			Classname string  `xml:"classname,attr"`
			Time      *string `xml:"time,attr"`
			Skipped   *string `xml:"skipped"`
			Error     *detail `xml:"error"`
			Failure   *detail `xml:"failure"`
			SystemOut string  `xml:"system-out"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

type detail struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// readJUnit reads a report as strictly as a CI does, and checks that its counts are
// those of its cases.
func readJUnit(t *testing.T, text string) report {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(text))
	var r report
	require.NoError(t, decoder.Decode(&r), text)
	_, err := decoder.Token()
	for ; err == nil; _, err = decoder.Token() {
	}
	require.ErrorIs(t, err, io.EOF)
	total := report{}
	identities := map[string]bool{}
	for _, s := range r.Suites {
		count := [4]int{}
		for _, c := range s.Cases {
			count[0]++
			count[1] += map[bool]int{true: 1}[c.Failure != nil]
			count[2] += map[bool]int{true: 1}[c.Error != nil]
			count[3] += map[bool]int{true: 1}[c.Skipped != nil]
			require.NotNil(t, c.Time)
			require.NotEmpty(t, c.Classname)
			id := s.Name + "\n" + c.Classname + "\n" + c.Name
			require.False(t, identities[id], "two cases are %q", id)
			identities[id] = true
		}
		require.Equal(t, [4]int{s.Tests, s.Failures, s.Errors, s.Skipped}, count, s.Name)
		total.Tests, total.Failures, total.Errors = total.Tests+s.Tests, total.Failures+s.Failures, total.Errors+s.Errors
	}
	require.Equal(t, [3]int{total.Tests, total.Failures, total.Errors}, [3]int{r.Tests, r.Failures, r.Errors})
	return r
}

func TestJUnitHasACaseForEveryImage(t *testing.T) {
	r := readJUnit(t, checked(t).print(t, "junit"))
	assert.Equal(t, 4, r.Tests)
	assert.Equal(t, 1, r.Failures)
	require.Len(t, r.Suites, 2)
	av, x := r.Suites[0], r.Suites[1]
	assert.Equal(t, "deploy/av.yaml", av.Name)
	assert.Equal(t, "Deployment/mail/av", av.Cases[0].Classname)
	assert.Equal(t, denied+" (spec.template.spec.containers[0].image)", av.Cases[0].Name)
	assert.Equal(t, "Deny", av.Cases[0].Failure.Type)
	assert.Contains(t, av.Cases[0].Failure.Message, "89 FR 52434")
	assert.Contains(t, av.Cases[0].Failure.Text, "deploy/av.yaml:21:18")
	assert.Nil(t, av.Cases[1].Failure, "a clean image passes")
	assert.Nil(t, x.Cases[0].Failure, "a warning is not at --fail-on Deny")
	assert.Contains(t, x.Cases[0].SystemOut, "Warn kaspersky/us-icts")
}

func TestJUnitFailsByFailOn(t *testing.T) {
	for failOn, failures := range map[v1alpha1.Action]int{"": 0, v1alpha1.ActionDeny: 1, v1alpha1.ActionWarn: 3, v1alpha1.ActionAudit: 3} {
		s := checked(t)
		s.FailOn = failOn
		assert.Equal(t, failures, readJUnit(t, s.print(t, "junit")).Failures, failOn)
	}
}

func TestJUnitShowsWhatXMLCannotHold(t *testing.T) {
	text := checked(t).print(t, "junit")
	assert.NotContains(t, text, "\uFFFD")
	assert.NotContains(t, text, "\x01")
	assert.Contains(t, readJUnit(t, text).Suites[1].Cases[1].Name, `Bad\x01<&"]]>`)
}

func TestJUnitTellsWhatCouldNotBeRead(t *testing.T) {
	s := checked(t)
	s.Errors = []output.InputError{{File: "b.yaml", Line: 3, Message: "mapping values are not allowed"}}
	r := readJUnit(t, s.print(t, "junit"))
	assert.Equal(t, 1, r.Errors)
	assert.Equal(t, s.Errors[0].String(), r.Suites[0].Cases[0].Error.Message)
}

func TestJUnitSkipsWhatAWaiverCovers(t *testing.T) {
	s := newSample(t, output.KindCheck, "2024-09-30").add(at("a.yaml", 1, "a"), denied)
	for i := range s.Findings {
		s.Findings[i].Waiver, s.Findings[i].Action = "until-q1", v1alpha1.ActionAudit
	}
	r := readJUnit(t, s.print(t, "junit"))
	require.NotNil(t, r.Suites[0].Cases[0].Skipped)
	assert.Equal(t, 1, r.Suites[0].Skipped)
}

func TestJUnitOfAnAuditHasASuiteForEachNamespace(t *testing.T) {
	r := readJUnit(t, audited(t).print(t, "junit"))
	require.Len(t, r.Suites, 2)
	assert.Equal(t, "production/mail", r.Suites[0].Name)
	assert.Equal(t, 5, r.Suites[0].Failures)
	assert.Contains(t, r.Suites[0].Cases[0].Failure.Text, "since 2023-05-04")
}
