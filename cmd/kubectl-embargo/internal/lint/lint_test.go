package lint_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"embargo.dev/cmd/kubectl-embargo/internal/lint"
	"embargo.dev/policies/catalog"
	"embargo.dev/policies/v1alpha1"
)

// right is a vendor that nobody could object to.
const right = `
apiVersion: embargo.dev/v1alpha1
kind: RestrictedVendor
metadata: {name: acme, labels: {example.com/list: ours}}
spec:
  displayName: Acme
  entities: [Acme Inc.]
  images:
    repositories: [{pattern: docker.io/acme/**}, {pattern: "**/acme-agent", confidence: Suspected}]
    exclude: [docker.io/acme/website]
  restrictions:
  - name: us-ban
    authority: An authority
    citations: [{title: "1 FR 1", url: "https://example.com/1"}]
    audience: us-persons
    scope: All of it.
    timeZone: America/New_York
    schedule:
    - {phase: announced, effective: "2024-06-20", summary: ban announced, introduce: Warn, update: Warn, continue: Audit, verification: Verified}
`

func problems(t *testing.T, text string) []lint.Problem {
	t.Helper()
	var v v1alpha1.RestrictedVendor
	require.NoError(t, yaml.UnmarshalStrict([]byte(text), &v))
	var fields map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(text), &fields))
	found, err := lint.Vendor(t.Context(), &v, fields)
	require.NoError(t, err)
	return found
}

func TestWhatIsRightHasNoProblem(t *testing.T) {
	assert.Empty(t, problems(t, right))
}

// TestOneChangeOneProblem changes one thing of a right vendor at a time.
func TestOneChangeOneProblem(t *testing.T) {
	for label, c := range map[string]struct {
		old, new string
		severity lint.Severity
		field    string
		says     string
	}{
		"a name that is no label":      {"name: acme,", "name: Acme_Inc,", lint.Error, "metadata.name", "must be a DNS label"},
		"no name":                      {"name: acme, ", "", lint.Error, "metadata.name", "Required value"},
		"a label with white space":     {"ours}", `"a b"}`, lint.Error, "metadata.labels", "a valid label"},
		"a built-in vendor's name":     {"name: acme,", "name: kaspersky,", lint.Warning, "metadata.name", "take another name"},
		"the built-in list's label":    {"example.com/list: ours", "embargo.dev/list: builtin", lint.Warning, "metadata.labels", "marks the built-in list"},
		"no display name":              {"displayName: Acme", "replacement: x", lint.Error, "spec.displayName", "displayName is the vendor's name in messages"},
		"an entity twice":              {"[Acme Inc.]", "[Acme Inc., Acme Inc.]", lint.Error, "spec.entities[1]", "Duplicate value"},
		"a pattern without a literal":  {"docker.io/acme/**}", `"*/*"}`, lint.Error, "spec.images.repositories[0].pattern", "no literal part"},
		"a pattern with a scheme":      {"docker.io/acme/**}", `"https://example.com/acme"}`, lint.Error, "spec.images.repositories[0].pattern", "leave the scheme out"},
		"an unknown confidence":        {"Suspected", "Sure", lint.Error, "spec.images.repositories[1].confidence", `"Confirmed", "Suspected"`},
		"an impossible exclusion":      {"[docker.io/acme/website]", `["A//b"]`, lint.Error, "spec.images.exclude[0]", "empty segment"},
		"no restriction":               {part("  restrictions:", ""), "  restrictions: []\n", lint.Error, "spec.restrictions", "at least 1"},
		"no authority":                 {"    authority: An authority\n", "", lint.Error, "spec.restrictions[0].authority", "who ordered the measure"},
		"no citation":                  {`[{title: "1 FR 1", url: "https://example.com/1"}]`, "[]", lint.Error, "spec.restrictions[0].citations", "at least 1"},
		"a citation without URL":       {`, url: "https://example.com/1"`, "", lint.Error, "spec.restrictions[0].citations[0].url", "where the text can be read"},
		"a citation that is no URL":    {"https://example.com/1", "example.com", lint.Error, "spec.restrictions[0].citations[0].url", "begins with https://"},
		"a citation over http":         {"https://example.com/1", "http://example.com/1", lint.Warning, "spec.restrictions[0].citations[0].url", "not read over https"},
		"no audience":                  {"    audience: us-persons\n", "", lint.Error, "spec.restrictions[0].audience", "who the measure binds"},
		"an audience in another case":  {"us-persons", "US-Persons", lint.Error, "spec.restrictions[0].audience", "should match"},
		"a misspelt audience":          {"us-persons", "us-person", lint.Warning, "spec.restrictions[0].audience", "us-persons"},
		"no scope":                     {"    scope: All of it.\n", "", lint.Warning, "spec.restrictions[0]", "us-ban has no scope"},
		"no zone":                      {"    timeZone: America/New_York\n", "", lint.Error, "spec.restrictions[0].timeZone", "America/New_York"},
		"an unknown zone":              {"New_York", "Newyork", lint.Error, "spec.restrictions[0].timeZone", "did you mean"},
		"an impossible date":           {"2024-06-20", "2024-06-31", lint.Error, "spec.restrictions[0].schedule[0].effective", "neither a date"},
		"no action":                    {"update: Warn, ", "", lint.Error, "spec.restrictions[0].schedule[0].update", "action for another tag"},
		"an unknown action":            {"update: Warn", "update: Refuse", lint.Error, "spec.restrictions[0].schedule[0].update", `"Deny"`},
		"an unverified date":           {"Verified}", "Unverified}", lint.Warning, "spec.restrictions[0].schedule[0].verification", "not verified in any source: read it in the primary text"},
		"a reported date":              {"Verified}", "Reported}", lint.Warning, "spec.restrictions[0].schedule[0].verification", "known from reports only"},
		"an unknown verification":      {"Verified}", "Maybe}", lint.Error, "spec.restrictions[0].schedule[0].verification", `"Unverified"`},
		"no summary":                   {"summary: ban announced, ", "", lint.Warning, "spec.restrictions[0].schedule[0]", "has no summary"},
		"restarts refused":             {"continue: Audit", "continue: Deny", lint.Warning, "spec.restrictions[0].schedule[0].continue", "after a restart"},
		"a pattern without token":      {"docker.io/acme/**}", "docker.io/**}", lint.Warning, "spec.images.repositories[0].pattern", "prefilter"},
		"a pattern left out again":     {"[docker.io/acme/website]", "[docker.io/acme/**]", lint.Warning, "spec.images.repositories[0].pattern", "left out by exclude[0]"},
		"an exclusion of nothing":      {"[docker.io/acme/website]", "[docker.io/other/website]", lint.Warning, "spec.images.exclude[0]", "nothing to leave out"},
		"a needless pattern":           {`{pattern: "**/acme-agent", confidence`, `{pattern: "docker.io/acme/agent", confidence`, lint.Warning, "spec.images.repositories[1].pattern", "with the same confidence or more"},
		"nothing to recognise it by":   {part("    repositories:", "  restrictions:"), "    digests: []\n", lint.Warning, "spec.images", "no image will be found"},
		"a phase in the wrong order":   {"verification: Verified}", "verification: Verified}\n" + secondPhase("2024-01-01", "Deny"), lint.Error, "spec.restrictions[0].schedule[1].effective", "in order of time"},
		"a phase that is weaker":       {"verification: Verified}", "verification: Verified}\n" + secondPhase("2024-07-01", "Audit"), lint.Error, "spec.restrictions[0].schedule[1].introduce", "change: Relaxes"},
		"a display name of any length": {"displayName: Acme", "displayName: " + strings.Repeat("a", 101), lint.Error, "spec.displayName", "100"},
	} {
		t.Run(label, func(t *testing.T) {
			require.Contains(t, right, c.old)
			found := problems(t, strings.Replace(right, c.old, c.new, 1))
			require.Len(t, found, 1, "%v", found)
			assert.Equal(t, c.severity, found[0].Severity)
			assert.Equal(t, c.field, found[0].Field)
			assert.Contains(t, found[0].Message, c.says)
			assert.Contains(t, found[0].Message, c.field)
		})
	}
}

// part returns a part of the right vendor, from one text up to another, or to the end.
func part(from, to string) string {
	_, rest, _ := strings.Cut(right, from)
	if to != "" {
		rest, _, _ = strings.Cut(rest, to)
	}
	return from + rest
}

func secondPhase(effective, introduce string) string {
	return `    - {phase: then, effective: "` + effective + `", summary: s, introduce: ` + introduce + `, update: Warn, continue: Audit}`
}

func TestAnExclusionOfAPartLeavesThePatternUseful(t *testing.T) {
	for _, exclude := range []string{"docker.io/acme/web*", "**/website/**", "docker.io/acme/website:1.*"} {
		assert.Empty(t, problems(t, strings.Replace(right, "docker.io/acme/website", `"`+exclude+`"`, 1)), exclude)
	}
}

func TestADenialOnSuspicionWillOnlyWarn(t *testing.T) {
	text := strings.Replace(right, "docker.io/acme/**}", "docker.io/acme/**, confidence: Suspected}", 1)
	assert.Empty(t, problems(t, text))
	found := problems(t, strings.Replace(text, "introduce: Warn", "introduce: Deny", 1))
	require.Len(t, found, 1)
	assert.Contains(t, found[0].Message, "announced will only warn")
}

func TestAConfirmedPatternWithinASuspectedOneIsOfUse(t *testing.T) {
	text := strings.Replace(right, `"**/acme-agent"`, `"**/acme/**"`, 1)
	assert.Empty(t, problems(t, text))
}

func TestTheBuiltInListHasNoErrors(t *testing.T) {
	vendors, err := catalog.Vendors()
	require.NoError(t, err)
	var across lint.Across
	for i := range vendors {
		text, err := yaml.Marshal(&vendors[i])
		require.NoError(t, err)
		found := slices.Concat(problems(t, string(text)), across.Vendor(&vendors[i], func(string) string { return "" }))
		for _, p := range found {
			known := strings.HasSuffix(p.Message, "read it in the primary text") || strings.Contains(p.Message, "no image will be found")
			assert.True(t, p.Severity == lint.Warning && known, p.Message)
		}
	}
}
