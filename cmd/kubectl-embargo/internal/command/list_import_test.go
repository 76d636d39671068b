package command_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	lists     = "../importer/testdata/"
	cslCSV    = lists + "csl.csv"
	sdnCSV    = lists + "sdn.csv"
	badRow    = "source,type,name\nEntity List (EL) - BIS,Entity,Sample Works\nshort\nEntity List (EL) - BIS,Entity,Test Works\n"
	wholeList = "source,type,name\nEntity List (EL) - BIS,Entity,Sample Works\n"
)

func TestListImportExitCodes(t *testing.T) {
	for label, c := range map[string]struct {
		stdin string
		args  []string
		code  int
		says  string
	}{
		"by name":                {"", []string{"--from", "csl", "--name", "antivirus", cslCSV}, 0, "name: example-antivirus-jsc"},
		"from standard input":    {wholeList, []string{"--from", "csl", "--all", "-"}, 0, "entries read: 1; taken: 1, into 1 drafts"},
		"persons are counted":    {"", []string{"--from", "csl", "--all", cslCSV}, 0, "natural persons left out: 2"},
		"what is unclear":        {"", []string{"--from", "csl", "--all", cslCSV}, 0, "left out (--include-unclear takes them): 2 (" + cslCSV + ":4, " + cslCSV + ":9)"},
		"unclear, taken":         {"", []string{"--from", "csl", "--all", "--include-unclear", cslCSV}, 0, "make sure that it is no natural person"},
		"an American programme":  {"", []string{"--from", "csl", "--program", "programme-a", cslCSV}, 0, "name: example-antivirus-jsc"},
		"nothing fits":           {"", []string{"--from", "csl", "--name", "nobody", cslCSV}, 0, "taken: 0, into 0 drafts"},
		"files beside":           {"", []string{"--from", "ofac", "--country", "Russia", "--alt", lists + "alt.csv", "--add", lists + "add.csv", "--comments", lists + "sdn_comments.csv", sdnCSV}, 0, "- EAV\n"},
		"a bad row":              {badRow, []string{"--from", "csl", "--all", "-"}, 2, "error: <stdin>:3: it has 1 fields where 3 should be"},
		"bad rows are counted":   {badRow, []string{"--from", "csl", "--all", "-"}, 2, "rows that can't be read: 1"},
		"good rows are kept":     {badRow, []string{"--from", "csl", "--all", "-"}, 2, "name: test-works"},
		"no list at all":         {"<html>", []string{"--from", "csl", "--all", "-"}, 2, "want the Consolidated Screening List"},
		"no file":                {"", []string{"--from", "csl", "--all", "/nonexistent.csv"}, 2, "no such file"},
		"no side file":           {"", []string{"--from", "ofac", "--all", "--alt", "/nonexistent.csv", sdnCSV}, 2, "no such file"},
		"unreachable":            {"", []string{"--from", "csl", "--all", "http://127.0.0.1:1/x"}, 3, "can't be reached"},
		"no selection":           {"", []string{"--from", "csl", cslCSV}, 2, "say which companies are wanted"},
		"all and a selection":    {"", []string{"--from", "csl", "--all", "--name", "x", cslCSV}, 2, "--all takes every company"},
		"unknown format":         {"", []string{"--from", "fcc", "--all", cslCSV}, 2, `--from "fcc": want one of csl, ofac, opensanctions`},
		"csl by its looks":       {"", []string{"--all", cslCSV}, 0, "imported from the U.S. Consolidated Screening List"},
		"csl in JSON":            {"", []string{"--all", lists + "csl.json"}, 0, "imported from the U.S. Consolidated Screening List"},
		"ofac by its looks":      {"", []string{"--all", sdnCSV}, 0, "imported from OFAC's sanctions list"},
		"ofac in XML":            {"", []string{"--all", lists + "sdn.xml"}, 0, "imported from OFAC's sanctions list"},
		"opensanctions":          {"", []string{"--all", lists + "targets.simple.csv"}, 0, "imported from OpenSanctions"},
		"no list known":          {"a,b\n", []string{"--all", "-"}, 2, "<stdin>: it can't be told what list it is: want --from"},
		"side files with others": {"", []string{"--from", "csl", "--all", "--alt", "x", cslCSV}, 2, "go with --from ofac"},
		"standard input twice":   {"", []string{"--from", "ofac", "--all", "--alt", "-", "-"}, 2, "once only"},
		"two files":              {"", []string{"--from", "csl", "--all", "a", "b"}, 2, "want one file or URL"},
	} {
		t.Run(label, func(t *testing.T) {
			a := run(t, c.stdin, append([]string{"list", "import"}, c.args...)...)
			assert.Equal(t, c.code, a.code, a.stdout+a.stderr)
			assert.Contains(t, a.stdout+a.stderr, c.says)
		})
	}
}

func TestADraftIsWrittenAsPeopleWouldWriteIt(t *testing.T) {
	a := run(t, "", "list", "import", "--from", "csl", "--name", "antivirus", "--source", "EL", cslCSV)
	assert.Equal(t, `---
# Draft, imported from the U.S. Consolidated Screening List.
# Nothing in it is verified. A cluster takes it only once a person has completed it:
# list validate names what is missing.
# - ../importer/testdata/csl.csv:2
apiVersion: embargo.dev/v1alpha1
kind: RestrictedVendor
metadata:
  name: example-antivirus-jsc
  labels:
    embargo.dev/list: imported
spec:
  displayName: Example Antivirus JSC
  entities:
    - Example Antivirus JSC
    - Example AV
    - EAV
    - Example Anti-Virus
  images: {} # recognises nothing: the lists name no images; add patterns with their sources
  restrictions:
    - name: entity-list
      authority: Bureau of Industry and Security
      citations:
        - title: 89 FR 00001
          url: https://lists.example/entity-list/about
      # audience: to be completed: who the measure binds, such as us-exporters
      scope: 'License requirement: For all items subject to the EAR. License policy: Presumption of denial.'
      # timeZone: to be completed: IANA name of the zone in which its dates are counted, such as America/New_York
      schedule:
        - phase: listed
          effective: "2024-06-24"
          # introduce: to be completed: Allow, Audit, Warn or Deny
          # update: to be completed: Allow, Audit, Warn or Deny
          # continue: to be completed: Allow, Audit, Warn or Deny
          summary: 'on the list: Entity List'
          verification: Unverified
`, a.stdout)
}

func TestDraftsGoThroughValidation(t *testing.T) {
	drafts := run(t, "", "list", "import", "--from", "csl", "--all", cslCSV)
	a := run(t, drafts.stdout, "list", "validate", "-")
	assert.Equal(t, 1, a.code)
	assert.Contains(t, a.stdout, "4 vendors: ")
	assert.Contains(t, a.stdout, "<stdin>:22:   error    example-antivirus-jsc  spec.restrictions[0].audience: Required value: audience is who the measure binds")
	assert.NotContains(t, a.stdout, "unknown field")
}

func TestAFileAVendorAndNoneIsOverwritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "drafts")
	args := []string{"list", "import", "--from", "csl", "--all", "--output-dir", dir, cslCSV}
	a := run(t, "", args...)
	require.Equal(t, 0, a.code, a.stderr)
	assert.Empty(t, a.stdout)
	completed := filepath.Join(dir, "sample-bank.yaml")
	require.NoError(t, os.WriteFile(completed, []byte("completed"), 0o600))
	require.NoError(t, os.Remove(filepath.Join(dir, "sample-optics-works.yaml")))
	a = run(t, "", args...)
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.stderr, "sample-bank.yaml: file exists: it is left as it is")
	content, err := os.ReadFile(completed)
	require.NoError(t, err)
	assert.Equal(t, "completed", string(content))
	assert.FileExists(t, filepath.Join(dir, "sample-optics-works.yaml"), "the others are written")
}

func TestListsAreReadFromURLs(t *testing.T) {
	text, err := os.ReadFile(cslCSV)
	require.NoError(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/consolidated.csv":
			_, _ = w.Write(text)
		case "/cut-short":
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write(text)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	a := run(t, "", "list", "import", "--from", "csl", "--source", "EL", server.URL+"/consolidated.csv")
	assert.Equal(t, 0, a.code, a.stderr)
	assert.Equal(t, 3, strings.Count(a.stdout, "kind: RestrictedVendor"))
	a = run(t, "", "list", "import", "--from", "csl", "--source", "EL", server.URL+"/cut-short")
	assert.Equal(t, 3, a.code, a.stderr)
	assert.Equal(t, 3, strings.Count(a.stdout, "kind: RestrictedVendor"), "what came is kept")
	a = run(t, "", "list", "import", "--from", "csl", "--all", server.URL+"/nothing")
	assert.Equal(t, 3, a.code)
	assert.Contains(t, a.stderr, "404 Not Found")
}
