package catalog_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/policies/catalog"
)

// TestWhatMeasuresCover has the limbs of the texts that a summary easily drops. Each is
// looked for in the scope and the titles of the citations.
func TestWhatMeasuresCover(t *testing.T) {
	const security, exceptions, later = "other national security purposes", "backhaul, roaming and interconnection", "The day of the listing is not the day from which"
	says := map[string][]string{
		"kaspersky/it-dl-21-2022":       {"Legge 51/2022", "n. 96 of 2022-04-26", "25A06260", "n. 272 of 2025-11-22", "Group-IB", "Security Gen (formerly Positive Technologies)"},
		"kaspersky/lt-2017":             {"Government meeting of 20 Dec 2017", "agreed with the national cyber security centre"},
		"kaspersky/uk-ncsc-2017":        {"anti-virus", "SECRET", "risk to national security"},
		"kaspersky/us-far-52-204-23":    {"RFO deviation clause 52.240-91 (proposed, FAR Case 2026-001)", "promptly"},
		"kaspersky/us-ndaa-1634":        {"whole Federal Government", "contains components"},
		"kaspersky/au-pspf-002-2025":    {"installing them is barred", "Left out: software of others with code of Kaspersky inside"},
		"kaspersky/nl-2018":             {"30 821 / 26 643, nr. 46"},
		"kaspersky/us-fcc-covered-list": {later},
		"huawei/us-entity-list":         {"84 FR 22961", "84 FR 43493", "85 FR 51596"},
	}
	for _, vendor := range []string{"dahua", "hikvision", "hytera", "huawei", "zte"} {
		says[vendor+"/us-889-a"] = []string{exceptions}
		says[vendor+"/us-889-a-contractors"] = []string{"FAR 52.204-25(b)(1)", exceptions}
		says[vendor+"/us-fcc-covered-list"] = []string{later}
	}
	for _, vendor := range []string{"dahua", "hikvision", "hytera"} {
		for _, restriction := range []string{"us-889-a", "us-889-a-contractors", "us-889-b", "us-fcc-covered-list"} {
			says[vendor+"/"+restriction] = append(says[vendor+"/"+restriction], security)
		}
	}
	for _, vendor := range []string{"dahua", "hikvision", "huawei", "tencent"} {
		says[vendor+"/us-dod-805"] = []string{"under their control", "directly or indirectly"}
	}
	texts := texts(t)
	for measure, limbs := range says {
		for _, limb := range limbs {
			assert.Contains(t, texts[measure], limb, measure)
		}
	}
	assert.NotContains(t, texts["kaspersky/us-far-52-204-23"], "three business days", "only one edition of the clause says so")
	assert.NotContains(t, texts["kaspersky/us-fcc-covered-list"], "software included", "the first entry has software too")
}

// texts returns the scope, the titles of the citations and the summaries of each measure.
func texts(t *testing.T) map[string]string {
	t.Helper()
	vendors, err := catalog.Vendors()
	require.NoError(t, err)
	all := map[string]string{}
	for _, v := range vendors {
		for _, r := range v.Spec.Restrictions {
			parts := []string{r.Scope}
			for _, c := range r.Citations {
				parts = append(parts, c.Title)
			}
			for _, p := range r.Schedule {
				parts = append(parts, p.Summary)
			}
			all[v.Name+"/"+r.Name] = strings.Join(parts, "\n")
		}
	}
	return all
}
