package lint_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/cmd/kubectl-embargo/internal/importer"
	"embargo.dev/cmd/kubectl-embargo/internal/lint"
)

// drafts imports everything from a text, and returns the drafts as they are written.
func drafts(t *testing.T, format, text string) []string {
	t.Helper()
	var written []string
	i := importer.Import{Bad: func(b *importer.BadRow) { t.Error(b) }, Notice: func(string) {}}
	err := i.Run(format, importer.File{Name: "list", Reader: strings.NewReader(text)}, importer.Side{}, func(d *importer.Draft) error {
		content, err := d.YAML()
		written = append(written, string(content))
		return err
	})
	require.NoError(t, err)
	require.NotEmpty(t, written)
	return written
}

func samples(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for format, name := range map[string]string{"csl": "csl.csv", "ofac": "sdn.xml", "opensanctions": "targets.simple.csv"} {
		text, err := os.ReadFile("../importer/testdata/" + name)
		require.NoError(t, err)
		texts[format] = string(text)
	}
	return texts
}

// missing are the fields that a person has to complete.
var missing = regexp.MustCompile(`^spec\.restrictions\[\d+\]\.(authority|audience|timeZone|citations\[\d+\]\.url|schedule\[0\]\.(effective|introduce|update|continue)): Required value`)

func assertOnlyMissing(t *testing.T, draft string) {
	t.Helper()
	for _, p := range problems(t, draft) {
		if p.Severity == lint.Error {
			assert.Regexp(t, missing, p.Message)
		}
	}
}

func TestADraftLacksJustWhatNoListTells(t *testing.T) {
	for format, text := range samples(t) {
		for _, draft := range drafts(t, format, text) {
			assertOnlyMissing(t, draft)
		}
	}
}

// TestADraftKeepsTheBoundsOfTheAPI imports more, and longer, texts than fit.
func TestADraftKeepsTheBoundsOfTheAPI(t *testing.T) {
	var aliases, programmes, notices []string
	for i := range 300 {
		aliases = append(aliases, fmt.Sprintf("Alias %d", i))
		programmes = append(programmes, fmt.Sprintf("PROGRAMME-%d-%s", i, strings.Repeat("X", 300)))
		notices = append(notices, fmt.Sprintf("1 FR %d", i))
	}
	text := fmt.Sprintf("source,type,name,alt_names,programs,federal_register_notice,license_requirement,source_list_url\n"+
		"%s List (SL) - %s,Entity,%s Works,%s,%s,%s,%s,https://example.com/%s\n",
		strings.Repeat("Sample ", 40), strings.Repeat("Authority ", 40), strings.Repeat("Very Long Example ", 20),
		strings.Join(aliases, ";"), strings.Join(programmes, ";"), strings.Join(notices, ";"), strings.Repeat("word ", 1000), strings.Repeat("u", 3000))
	assertOnlyMissing(t, drafts(t, "csl", text)[0])
}

// TestOnceCompletedADraftIsRight does with each comment of a draft what it says.
func TestOnceCompletedADraftIsRight(t *testing.T) {
	values := map[string]string{
		"authority": "An authority", "audience": "us-exporters", "scope": "All of it.", "timeZone": "America/New_York",
		"effective": `"2020-01-01"`, "introduce": "Audit", "update": "Audit", "continue": "Audit",
	}
	gap := regexp.MustCompile(`# (\w+): to be completed: .*`)
	for format, list := range samples(t) {
		for _, draft := range drafts(t, format, list) {
			text := strings.ReplaceAll(draft, "# url: to be completed: where the text can be read", "\n          url: https://example.com/")
			text = gap.ReplaceAllStringFunc(text, func(comment string) string {
				key := gap.FindStringSubmatch(comment)[1]
				return key + ": " + values[key]
			})
			var says []string
			for _, p := range problems(t, text) {
				says = append(says, p.Message)
				assert.Equal(t, lint.Warning, p.Severity, "%s\n%s", p.Message, text)
			}
			assert.Contains(t, strings.Join(says, "\n"), "no image will be found")
		}
	}
}
