package importer_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/cmd/kubectl-embargo/internal/importer"
)

// result is what a run comes to.
type result struct {
	importer.Import

	drafts  []*importer.Draft
	bad     []string
	notices []string
	err     error
}

func (r *result) draft(t *testing.T, name string) *importer.Draft {
	t.Helper()
	for _, d := range r.drafts {
		if d.Name == name {
			return d
		}
	}
	require.Failf(t, "no such draft", "%s among %v", name, r.names())
	return nil
}

func (r *result) names() []string {
	var names []string
	for _, d := range r.drafts {
		names = append(names, d.Name)
	}
	return names
}

func run(t testing.TB, format, text string, side importer.Side, selection importer.Selection) *result {
	t.Helper()
	return runWith(&result{Import: importer.Import{Selection: selection}}, format, text, side)
}

func runWith(r *result, format, text string, side importer.Side) *result {
	r.Bad = func(b *importer.BadRow) { r.bad = append(r.bad, b.Error()) }
	r.Notice = func(text string) { r.notices = append(r.notices, text) }
	r.err = r.Run(format, importer.File{Name: "list", Reader: strings.NewReader(text)}, side, func(d *importer.Draft) error {
		r.drafts = append(r.drafts, d)
		return nil
	})
	return r
}

func sample(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return string(text)
}

func side(t testing.TB) importer.Side {
	file := func(name string) *importer.File {
		return &importer.File{Name: name, Reader: strings.NewReader(sample(t, name))}
	}
	return importer.Side{Alt: file("alt.csv"), Add: file("add.csv"), Comments: file("sdn_comments.csv")}
}

func TestBothFormatsOfTheConsolidatedScreeningListSayTheSame(t *testing.T) {
	csv := run(t, "csl", sample(t, "csl.csv"), importer.Side{}, importer.Selection{})
	json := run(t, "csl", sample(t, "csl.json"), importer.Side{}, importer.Selection{})
	for _, r := range []*result{csv, json} {
		require.NoError(t, r.err)
		assert.Empty(t, r.bad)
		assert.Equal(t, []string{"example-antivirus-jsc", "sample-optics-works", "sample-bank", "test-semiconductor"}, r.names())
		r.Count.UnclearAt = nil
		assert.Equal(t, importer.Count{Read: 10, Selected: 5, Drafts: 4, Persons: 2, Others: 1, Unclear: 2}, r.Count)
		for _, d := range r.drafts {
			d.Notes = nil
		}
	}
	assert.Equal(t, csv.drafts, json.drafts)
}

func TestARowOfCommerceHasNoTypeAndCountsAllTheSame(t *testing.T) {
	r := run(t, "csl", sample(t, "csl.csv"), importer.Side{}, importer.Selection{Sources: []string{"EL"}})
	d := r.draft(t, "example-antivirus-jsc")
	assert.Equal(t, []string{"Example Antivirus JSC", "Example AV", "EAV", "Example Anti-Virus"}, d.Entities)
	assert.Equal(t, []importer.Restriction{{
		Name: "entity-list", Authority: "Bureau of Industry and Security", Summary: "on the list: Entity List", Since: "2024-06-24",
		Citations: []importer.Citation{{Title: "89 FR 00001", URL: "https://lists.example/entity-list/about"}},
		Scope:     "License requirement: For all items subject to the EAR. License policy: Presumption of denial.",
	}}, d.Restrictions)
}

func TestTheEntriesOfACompanyBecomeOneDraft(t *testing.T) {
	r := run(t, "csl", sample(t, "csl.csv"), importer.Side{}, importer.Selection{Names: []string{"example antivirus"}})
	d := r.draft(t, "example-antivirus-jsc")
	assert.Equal(t, []string{"list:2", "list:6"}, d.Notes)
	var names []string
	for _, restriction := range d.Restrictions {
		names = append(names, restriction.Name)
	}
	assert.Equal(t, []string{"entity-list", "programme-a", "programme-b"}, names)
}

func TestNoticesOfTheFederalRegister(t *testing.T) {
	r := run(t, "csl", sample(t, "csl.csv"), importer.Side{}, importer.Selection{})
	titles := func(name string) (titles []string) {
		for _, c := range r.draft(t, name).Restrictions[0].Citations {
			titles = append(titles, c.Title)
		}
		return titles
	}
	assert.Equal(t, []string{"83 FR 37423", "87 FR 77505"}, titles("sample-optics-works"))
	assert.Equal(t, []string{"Vol. 88, No. 151, 08/08/2023"}, titles("test-semiconductor"))
	assert.Equal(t, []string{"Non-SDN Menu-Based Sanctions List (NS-MBS List) - Treasury Department"}, titles("sample-bank"))
}

func TestWhatListsAppendToANameIsTakenOff(t *testing.T) {
	for name, want := range map[string]string{
		"Sample Works; and any successor, sub-unit, or subsidiary thereof": "Sample Works",
		"Sample Works and any successor, sub-unit, or subsidiary thereof.": "Sample Works",
		"Sample Works, And Any Successors, Sub-units, or Subsidiaries":     "Sample Works",
		"Sample Works, Affiliated Entity: Sample Holdings":                 "Sample Works",
		"Affiliated Entity: Sample Holdings":                               "Sample Holdings",
		"Sample\u202e Works \ufffe\u200b\n Ltd.":                           "Sample Works Ltd.",
		"Sample Works, ":                                                   "Sample Works",
	} {
		r := run(t, "csl", "source,name,type\nEntity List (EL) - BIS,\""+name+"\",Entity\n", importer.Side{}, importer.Selection{})
		require.Len(t, r.drafts, 1, "%q: %v", name, r.bad)
		assert.Equal(t, want, r.drafts[0].DisplayName)
	}
	r := run(t, "csl", sample(t, "csl.csv"), importer.Side{}, importer.Selection{})
	assert.Equal(t, []string{"list:3; the list adds: and any successor, sub-unit, or subsidiary thereof"}, r.draft(t, "sample-optics-works").Notes)
	assert.Equal(t, []string{"list:10; the list adds: Affiliated Entity: Sample Holdings; start_date is no date: someday; " +
		"the list gives an end date, 2030-01-01: add a phase with change: Relaxes"}, r.draft(t, "test-semiconductor").Notes)
}

func TestTheColumnsMayStandInAnyOrder(t *testing.T) {
	text := "\uFEFFname,start_date,source,alt_names,unknown\r\nSample Works,2020-01-01,Entity List (EL) - BIS,SW; S-Works,x\r\n\x1a"
	r := run(t, "csl", text, importer.Side{}, importer.Selection{})
	require.NoError(t, r.err)
	assert.Empty(t, r.bad)
	assert.Equal(t, []string{"Sample Works", "SW", "S-Works"}, r.draft(t, "sample-works").Entities)
	assert.Equal(t, "2020-01-01", r.drafts[0].Restrictions[0].Since)
}

func TestNumbersOfEntitiesAreNoKey(t *testing.T) {
	text := "source,name,type,entity_number\nList A (A) - X,Sample Works,Entity,7\nList B (B) - X,Test Works,Entity,7\n"
	assert.Equal(t, []string{"sample-works", "test-works"}, run(t, "csl", text, importer.Side{}, importer.Selection{}).names())
}

func TestOFACBothFormats(t *testing.T) {
	csv := run(t, "ofac", sample(t, "sdn.csv"), side(t), importer.Selection{})
	xml := run(t, "ofac", sample(t, "sdn.xml"), importer.Side{}, importer.Selection{})
	for _, r := range []*result{csv, xml} {
		require.NoError(t, r.err)
		assert.Empty(t, r.bad)
		assert.Equal(t, []string{"example-antivirus-jsc", "sample-optics-works"}, r.names())
		assert.Equal(t, importer.Count{Read: 4, Selected: 2, Drafts: 2, Persons: 1, Others: 1}, r.Count)
		var names []string
		for _, restriction := range r.draft(t, "sample-optics-works").Restrictions {
			names = append(names, restriction.Name)
		}
		assert.Equal(t, []string{"npwmd", "ifsr"}, names, "programmes joined as NPWMD] [IFSR")
	}
	assert.Equal(t, []string{"EXAMPLE ANTIVIRUS JSC", "EAV", "EXAMPLE ANTIVIRUS OOO", "EXAMPLE AV", "EXAMPLE'S OLD NAME"}, csv.draft(t, "example-antivirus-jsc").Entities)
	assert.Equal(t, []string{"SAMPLE OPTICS WORKS", "SAMPLE OPTICS"}, csv.draft(t, "sample-optics-works").Entities, "the remarks go on in another file")
	assert.Equal(t, []string{"EXAMPLE ANTIVIRUS JSC", "EAV", "EXAMPLE ANTIVIRUS OOO", "EXAMPLE AV"}, xml.draft(t, "example-antivirus-jsc").Entities)
	assert.Equal(t, "OFAC's sanctions list, published on 2026-08-21", xml.drafts[0].Source)
}

func TestOFACsNewNamespaceAndAWrongCount(t *testing.T) {
	text := strings.ReplaceAll(sample(t, "sdn.xml"), "http://tempuri.org/sdnList.xsd", "https://sanctionslistservice.ofac.treas.gov/api/PublicationPreview/exports/XML")
	text = strings.ReplaceAll(text, "<Record_Count>4<", "<Record_Count>5<")
	r := run(t, "ofac", text, importer.Side{}, importer.Selection{})
	require.NoError(t, r.err)
	assert.Len(t, r.drafts, 2)
	assert.Equal(t, []string{"list says that it has 5 entries, and 4 were read"}, r.notices)
}

func TestOpenSanctions(t *testing.T) {
	r := run(t, "opensanctions", sample(t, "targets.simple.csv"), importer.Side{}, importer.Selection{})
	require.NoError(t, r.err)
	assert.Empty(t, r.bad)
	assert.Equal(t, importer.Count{Read: 6, Selected: 3, Drafts: 3, Persons: 1, Others: 1, Unclear: 1, UnclearAt: []string{"list:5"}}, r.Count)
	d := r.draft(t, "example-antivirus-jsc")
	assert.Equal(t, []string{"Example Antivirus JSC", "Example AV; Moscow", "EAV"}, d.Entities, "a semicolon in quotes is part of a name")
	assert.Equal(t, "2022-03-25", d.Restrictions[0].Since)
	both := r.draft(t, "sample-optics-works")
	assert.Equal(t, "us-bis-el", both.Restrictions[0].Name)
	assert.Equal(t, "us-dod-1260h", both.Restrictions[1].Name)
	assert.Empty(t, both.Restrictions[0].Since, "several sanctions have no one date")
}

func TestOpenSanctionsBeforeProgrammes(t *testing.T) {
	text := strings.Replace(sample(t, "targets.simple.csv"), `"program_ids",`, "", 1)
	text = strings.NewReplacer(`"US-FCC",`, "", `"US-BIS-EL;US-DOD-1260H",`, "", `"","US Sample List"`, `"US Sample List"`).Replace(text)
	r := run(t, "opensanctions", text, importer.Side{}, importer.Selection{})
	require.NoError(t, r.err)
	assert.Empty(t, r.bad)
	assert.Equal(t, "us-fcc-covered-list", r.draft(t, "example-antivirus-jsc").Restrictions[0].Name)
	assert.Equal(t, []string{"list is of a time before the column program_ids: its entries name no programme"}, r.notices)
}

func TestSelection(t *testing.T) {
	for label, c := range map[string]struct {
		selection importer.Selection
		want      []string
	}{
		"part of a name":                  {importer.Selection{Names: []string{"OPTICS"}}, []string{"sample-optics-works"}},
		"an alias":                        {importer.Selection{Names: []string{"eav"}}, []string{"example-antivirus-jsc"}},
		"one of two names":                {importer.Selection{Names: []string{"nothing", "bank"}}, []string{"sample-bank"}},
		"a list":                          {importer.Selection{Sources: []string{"el"}}, []string{"example-antivirus-jsc", "sample-optics-works", "test-semiconductor"}},
		"a list by its name":              {importer.Selection{Sources: []string{"menu-based"}}, []string{"sample-bank"}},
		"a list with a label of its own":  {importer.Selection{Sources: []string{"MBS"}}, []string{"sample-bank"}},
		"a part of an abbreviation isn't": {importer.Selection{Sources: []string{"E"}}, nil},
		"a programme":                     {importer.Selection{Programmes: []string{"russia-eo14024"}}, []string{"sample-bank"}},
		"a part of a programme isn't":     {importer.Selection{Programmes: []string{"RUSSIA"}}, nil},
		"a country":                       {importer.Selection{Countries: []string{"ru"}}, []string{"example-antivirus-jsc", "sample-bank"}},
		"a country and a list":            {importer.Selection{Countries: []string{"RU"}, Sources: []string{"EL"}}, []string{"example-antivirus-jsc"}},
	} {
		for _, file := range []string{"csl.csv", "csl.json"} {
			r := run(t, "csl", sample(t, file), importer.Side{}, c.selection)
			require.NoError(t, r.err)
			assert.Equal(t, c.want, r.names(), "%s of %s", label, file)
		}
	}
}

func TestOFACByCountryNeedsTheAddresses(t *testing.T) {
	china := importer.Selection{Countries: []string{"China"}}
	assert.Equal(t, []string{"sample-optics-works"}, run(t, "ofac", sample(t, "sdn.csv"), side(t), china).names())
	assert.Empty(t, run(t, "ofac", sample(t, "sdn.csv"), importer.Side{}, china).names())
}
