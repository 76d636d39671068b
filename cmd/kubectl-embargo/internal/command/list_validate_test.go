package command_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/cmd/kubectl-embargo/internal/output"
)

const acme = `apiVersion: embargo.dev/v1alpha1
kind: RestrictedVendor
metadata: {name: acme}
spec:
  displayName: Acme
  images: {repositories: [{pattern: docker.io/acme/**}]}
  restrictions:
  - name: us-ban
    authority: An authority
    citations: [{title: "1 FR 1", url: "https://example.com/1"}]
    audience: us-persons
    scope: All of it.
    timeZone: America/New_York
    schedule:
    - {phase: announced, effective: "2024-06-20", summary: ban announced, introduce: Warn, update: Warn, continue: Audit}
`

func TestListValidateExitCodes(t *testing.T) {
	another := strings.Replace(acme, "name: acme", "name: another", 1)
	for label, c := range map[string]struct {
		stdin string
		args  []string
		code  int
		says  string
	}{
		"right":                     {acme, []string{"-"}, 0, "1 vendor: 0 errors, 0 warnings."},
		"a list":                    {`{"apiVersion":"embargo.dev/v1alpha1","kind":"RestrictedVendorList","items":[]}`, []string{"-"}, 2, "there is no RestrictedVendor in -"},
		"a warning":                 {strings.Replace(acme, "    scope: All of it.\n", "", 1), []string{"-"}, 0, "<stdin>:8:  warning  acme  spec.restrictions[0]: us-ban has no scope"},
		"a warning, strict":         {strings.Replace(acme, "    scope: All of it.\n", "", 1), []string{"-", "--strict"}, 1, "1 warning."},
		"an unknown key":            {strings.Replace(acme, "displayName", "colour: red\n  displayName", 1), []string{"-"}, 1, `<stdin>:5:  error  acme  RestrictedVendor: unknown field "spec.colour"`},
		"a key in another case":     {strings.Replace(acme, "displayName", "DisplayName", 1), []string{"-"}, 1, `unknown field "spec.DisplayName"`},
		"a number for a text":       {strings.Replace(acme, "displayName: Acme", "displayName: 7", 1), []string{"-"}, 1, "there is a number where string should be"},
		"what doesn't compile":      {strings.Replace(acme, "America/New_York", "America/Newyork", 1), []string{"-"}, 1, `<stdin>:13:  error  acme  spec.restrictions[0].timeZone: Invalid value: "America/Newyork"`},
		"another kind":              {"apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n", []string{"-"}, 1, "a restricted list has RestrictedVendor objects of embargo.dev/v1alpha1, not /v1, Kind=Pod"},
		"no Kubernetes object":      {"a: 1\n", []string{"-"}, 1, "<stdin>:1:  error  -  no Kubernetes object"},
		"a name given twice":        {acme + "---\n" + acme, []string{"-"}, 1, `metadata.name: "acme" is given already at <stdin>:3`},
		"a pattern of two vendors":  {acme + "---\n" + another, []string{"-"}, 0, `"docker.io/acme/**" is listed by acme at <stdin>:6 too`},
		"a broken document":         {"a: [\n---\n" + acme, []string{"-"}, 2, "1 vendor: 0 errors"},
		"broken goes before errors": {"a: [\n---\n" + acme + "---\n" + acme, []string{"-"}, 2, "1 error"},
		"nothing":                   {"", []string{"-"}, 2, "there is no RestrictedVendor in -"},
		"a file that isn't there":   {"", []string{"/nonexistent.yaml"}, 2, "no such file"},
		"a URL that can't be read":  {"", []string{"http://127.0.0.1:1/x.yaml"}, 3, "can't be reached"},
		"no argument":               {"", nil, 2, "want files, folders or URLs"},
		"standard input twice":      {acme, []string{"-", "-"}, 2, "standard input can be read once only"},
		"an unknown format":         {acme, []string{"-", "-o", "xml"}, 2, `-o "xml": want one of table, json, yaml`},
		"yaml":                      {acme, []string{"-", "-o", "yaml"}, 0, "kind: ListValidation"},
	} {
		t.Run(label, func(t *testing.T) {
			a := run(t, c.stdin, append([]string{"list", "validate"}, c.args...)...)
			assert.Equal(t, c.code, a.code, a.stdout+a.stderr)
			assert.Contains(t, a.stdout+a.stderr, c.says)
		})
	}
}

func TestListValidateReadsFolders(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "below"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.yaml"), []byte(acme), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "below", "b.yaml"), []byte(acme), 0o600))
	assert.Equal(t, 0, run(t, "", "list", "validate", dir).code)
	a := run(t, "", "list", "validate", dir, "-R")
	assert.Equal(t, 1, a.code)
	assert.Contains(t, a.stdout, filepath.Join("below", "b.yaml")+":3:")
	assert.Contains(t, a.stdout, "given already at "+filepath.Join(dir, "a.yaml")+":3")
}

func TestListValidateAsJSON(t *testing.T) {
	a := run(t, strings.NewReplacer("    scope: All of it.\n", "", "displayName", "colour: red\n  displayName").Replace(acme), "list", "validate", "-", "-o", "json")
	assert.Equal(t, 1, a.code)
	var got output.Validation
	require.NoError(t, json.Unmarshal([]byte(a.stdout), &got))
	assert.Equal(t, output.Validation{
		APIVersion: "embargo.dev/v1alpha1", Kind: "ListValidation", Summary: output.ValidationSummary{Vendors: 1, Errors: 1, Warnings: 1},
		Problems: []output.ListProblem{
			{File: "<stdin>", Line: 5, Vendor: "acme", Field: "spec.colour", Severity: "Error", Message: `RestrictedVendor: unknown field "spec.colour"`},
			{File: "<stdin>", Line: 9, Vendor: "acme", Field: "spec.restrictions[0]", Severity: "Warning",
				Message: "spec.restrictions[0]: us-ban has no scope: say what the measure covers and what it leaves out"},
		},
	}, got)
}

// TestTheBuiltInListPassesItsOwnLint reads the files as they are, comments and all.
func TestTheBuiltInListPassesItsOwnLint(t *testing.T) {
	a := run(t, "", "list", "validate", "../../../../policies/catalog/vendors")
	assert.Equal(t, 0, a.code, a.stdout+a.stderr)
	assert.Contains(t, a.stdout, "7 vendors: 0 errors")
}

func TestControlCharactersStayOutOfTheTerminal(t *testing.T) {
	a := run(t, strings.Replace(acme, "timeZone: America/New_York", `timeZone: "\e[31mred"`, 1), "list", "validate", "-")
	assert.Equal(t, 1, a.code)
	assert.NotContains(t, a.stdout, "\x1b")
}

// TestWhatAClusterRefusesIsAnError uses what a real API server was seen to refuse.
func TestWhatAClusterRefusesIsAnError(t *testing.T) {
	files, err := filepath.Glob("../../../../test/admission/testdata/refused/*.yaml")
	require.NoError(t, err)
	tried := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		if !strings.Contains(string(text), "kind: RestrictedVendor") {
			continue
		}
		tried++
		a := run(t, "", "list", "validate", file)
		assert.Equal(t, 1, a.code, "%s: %s", file, a.stdout+a.stderr)
	}
	assert.GreaterOrEqual(t, tried, 10)
}
