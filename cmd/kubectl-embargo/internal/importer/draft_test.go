package importer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/cmd/kubectl-embargo/internal/importer"
)

func yamlOf(t testing.TB, d *importer.Draft) []byte {
	t.Helper()
	text, err := d.YAML()
	require.NoError(t, err)
	return text
}

func TestADraftSaysThatItRecognisesNothing(t *testing.T) {
	r := run(t, "ofac", sample(t, "sdn.xml"), importer.Side{}, importer.Selection{Names: []string{"antivirus"}})
	text := string(yamlOf(t, r.drafts[0]))
	assert.Contains(t, text, "  images: {} # recognises nothing")
	assert.Contains(t, text, "# Draft, imported from OFAC's sanctions list, published on 2026-08-21.\n")
	assert.Contains(t, text, "# - list:7\n")
	assert.NotContains(t, text, "audience: us")
}

// TestWhatIsTooMuchForTheAPIIsLeftOutVisibly gives more, and longer, texts than fit.
func TestWhatIsTooMuchForTheAPIIsLeftOutVisibly(t *testing.T) {
	name := strings.Repeat("Very Long Example ", 20) + "Works"
	var aliases, programmes, notices []string
	for i := range 300 {
		aliases = append(aliases, fmt.Sprintf("Alias %d", i))
	}
	aliases = append(aliases, strings.Repeat("x", 257))
	for i := range 40 {
		programmes = append(programmes, fmt.Sprintf("PROGRAMME-%d", i))
		notices = append(notices, fmt.Sprintf("1 FR %d", i))
	}
	text := fmt.Sprintf("source,type,name,alt_names,programs,federal_register_notice,license_requirement,source_list_url\nSample List (SL) - %s,Entity,%s,%s,%s,%s,%s,https://example.com/%s\n",
		strings.Repeat("Authority ", 40), name, strings.Join(aliases, ";"), strings.Join(programmes, ";"), strings.Join(notices, ";"), strings.Repeat("word ", 1000), strings.Repeat("u", 3000))
	r := run(t, "csl", text, importer.Side{}, importer.Selection{})
	require.Empty(t, r.bad)
	d := r.drafts[0]
	assert.Contains(t, d.DisplayName, "…")
	assert.Len(t, d.Entities, 256)
	assert.Len(t, d.Restrictions, 32)
	assert.Contains(t, d.Notes, "46 more names don't fit")
	assert.Contains(t, d.Notes, "8 more restrictions don't fit")
}

func TestNamesOfDrafts(t *testing.T) {
	for name, want := range map[string]string{
		"Example Antivirus JSC":                  "example-antivirus-jsc",
		"Société d'Exemple, S.A. Ltd":            "societe-dexemple-sa-ltd",
		"360 Example Co., Ltd.":                  "360-example-co-ltd",
		"Пример Company":                         "company-",
		"示例公司":                                   "vendor-",
		strings.Repeat("Example ", 20) + "Works": "example-example-example-example-example-example-exampl-",
	} {
		r := run(t, "csl", "source,type,name\nA (B) - C,Entity,\""+name+"\"\n", importer.Side{}, importer.Selection{})
		require.Len(t, r.drafts, 1)
		assert.True(t, strings.HasPrefix(r.drafts[0].Name, want), "%s: %s", name, r.drafts[0].Name)
		assert.LessOrEqual(t, len(r.drafts[0].Name), 63)
	}
}

func TestNamesInOtherLettersAreKeptApart(t *testing.T) {
	text := "source,type,name\nA (B) - C,Entity,Пример Company\nA (B) - C,Entity,Образец Company\nA (B) - C,Entity,Company\nA (B) - C,Entity,ПРИМЕР COMPANY\n"
	r := run(t, "csl", text, importer.Side{}, importer.Selection{})
	require.Len(t, r.drafts, 3)
	assert.NotEqual(t, r.drafts[0].Name, r.drafts[1].Name)
	assert.Equal(t, "company", r.drafts[2].Name)
	assert.Equal(t, []string{"list:2", "list:5"}, r.drafts[0].Notes)
}
