package output_test

import (
	"encoding/xml"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/cmd/kubectl-embargo/internal/output"
	"embargo.dev/policies/v1alpha1"
)

func TestAPageNeedsNothingButItself(t *testing.T) {
	text := checked(t).print(t, "html")
	assert.Contains(t, text, `default-src &#39;none&#39;; style-src &#39;sha256-`)
	assert.NotRegexp(t, `(?i)<(link|img|iframe|base|script src|object|embed)\b`, text)
	assert.NotRegexp(t, `(?i)@import|url\([^#]`, text)
	assert.NotRegexp(t, `(?i)\sstyle=|\son[a-z]+=`, text, "the policy forbids both")
}

func TestAPageSaysTheVerdictFirst(t *testing.T) {
	verdict := regexp.MustCompile(`<h1>(.*)</h1>`)
	title := func(s *sample) string { return verdict.FindStringSubmatch(s.print(t, "html"))[1] }
	assert.Equal(t, "1 image would be refused", title(checked(t)))
	warned := newSample(t, output.KindCheck, "2024-09-30").add(at("a.yaml", 1, "a"), suspected)
	assert.Equal(t, "Nothing is refused; 1 image would be warned about", title(warned))
	none := newSample(t, output.KindCheck, "2024-09-30").add(at("a.yaml", 1, "a"), clean)
	assert.Equal(t, "No image of a restricted vendor found", title(none))
	none.Errors = []output.InputError{{File: "b.yaml", Line: 3, Message: "mapping values are not allowed"}}
	assert.Equal(t, "Nothing found in what could be read", title(none), "nobody may take it for clean")
	assert.Contains(t, none.print(t, "html"), none.Errors[0].String())
	assert.Equal(t, "6 workloads with images of 1 restricted vendor", title(audited(t)))
}

func TestAPageEscapesWhatManifestsSay(t *testing.T) {
	s := newSample(t, output.KindCheck, "2024-09-30").
		add(at(`"><script>alert(1)</script>`, 1, "</table><script>alert(2)</script>"), "kaspersky/scanengine_x:1")
	s.Vendors = []v1alpha1.RestrictedVendor{*s.Vendors[indexOf(s, "kaspersky")].DeepCopy()}
	s.Vendors[0].Spec.Restrictions[0].Citations[0].URL = "javascript:alert(3)"
	s.Vendors[0].Spec.DisplayName = "<img src=x onerror=alert(4)>"
	text := s.print(t, "html")
	assert.Equal(t, 1, strings.Count(text, "<script>"))
	assert.NotContains(t, text, "<img")
	assert.NotContains(t, text, `href="javascript:`)
}

func indexOf(s *sample, vendor string) int {
	for i := range s.Vendors {
		if s.Vendors[i].Name == vendor {
			return i
		}
	}
	return -1
}

func TestATimelineMarksTheInstantAndToday(t *testing.T) {
	text := checked(t).print(t, "html")
	assert.Contains(t, text, ">as of 2024-09-30</text>")
	assert.Contains(t, text, ">today, 2024-10-02</text>")
	assert.Contains(t, text, "in force is updates-prohibited")
	past := newSample(t, output.KindCheck, "2024-08-15").add(at("a.yaml", 1, "a"), denied).print(t, "html")
	assert.Contains(t, past, `data-name="Stands">coming</td>`)
	assert.Contains(t, past, `fill="url(#coming-measure-kaspersky-us-icts)"`)
}

// TestTimelinesAreWellFormed reads every picture as XML, which is stricter than a
// browser.
func TestTimelinesAreWellFormed(t *testing.T) {
	pictures := regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(checked(t).print(t, "html")+audited(t).print(t, "html"), -1)
	require.Len(t, pictures, 6, "two restrictions twice, and two namespaces")
	for _, picture := range pictures {
		decoder := xml.NewDecoder(strings.NewReader(picture))
		var err error
		for err == nil {
			_, err = decoder.Token()
		}
		require.ErrorIs(t, err, io.EOF)
		assert.NotContains(t, picture, "NaN")
	}
}

func TestOnlyAnAuditShowsExposure(t *testing.T) {
	text := audited(t).print(t, "html")
	assert.Contains(t, text, "Exposure by namespace")
	assert.Contains(t, text, "5 Deny")
	assert.Contains(t, text, "2023-05-04")
	assert.NotContains(t, checked(t).print(t, "html"), "Exposure by namespace")
}

// TestAPageNamesVendorsThatWereNotLookedFor where the verdict stands, which would pass for clean.
func TestAPageNamesVendorsThatWereNotLookedFor(t *testing.T) {
	s := newSample(t, output.KindAudit, "2024-08-15")
	assert.NotContains(t, s.print(t, "html"), "Not looked for")
	s.NotLookedFor = []string{"dahua", "zte (staging)"}
	assert.Contains(t, s.print(t, "html"), "<div><dt>Not looked for</dt><dd>dahua, zte (staging)</dd></div>")
}

func TestIdentitiesInAPageAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, id := range regexp.MustCompile(`\sid="([^"]*)"`).FindAllStringSubmatch(checked(t).print(t, "html"), -1) {
		assert.False(t, seen[id[1]], id[1])
		seen[id[1]] = true
	}
	assert.True(t, seen["measure-kaspersky-us-icts"])
}

func TestAPageShowsNearDatesWithTimeAndZone(t *testing.T) {
	near := newSample(t, output.KindAudit, "2024-09-28T12:00:00Z").add(running("mail", "av"), denied).print(t, "html")
	const begins = "2024-09-29 00:00 EDT (16 hours left)"
	assert.Contains(t, near, "next: updates-prohibited on "+begins+": Deny")
	assert.Contains(t, near, `<td role="cell" data-name="Next date">`+begins)
	assert.Contains(t, near, `<td role="cell" class="date" data-name="From">`+begins)
	far := audited(t).print(t, "html")
	assert.Contains(t, far, "next: updates-prohibited on 2024-09-29: Deny")
	assert.NotContains(t, far, "left)")
}
