package command_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/cmd/kubectl-embargo/internal/explanation"
)

func explainJSON(t *testing.T, args ...string) explanation.Result {
	t.Helper()
	a := run(t, "", append(append([]string{"explain"}, args...), "-o", "json")...)
	var r explanation.Result
	require.NoError(t, json.Unmarshal([]byte(a.stdout), &r), a.stderr)
	return r
}

func TestAnImageIsExplained(t *testing.T) {
	t.Setenv("COLUMNS", "100")
	a := run(t, "", "explain", "mirror.gcr.io/kaspersky/scanengine_httpd:2.1", "ghcr.io/acme/app", "repo.kcs.kasperski.com/x", "Acme/app", "--as-of", "2024-07-19")
	assert.Equal(t, 0, a.code, a.stderr)
	for _, line := range []string{
		"Canonical:   mirror.gcr.io/kaspersky/scanengine_httpd:2.1",
		"Mirrors:     mirror.gcr.io stands for docker.io: docker.io/kaspersky/scanengine_httpd:2.1",
		"Kaspersky (kaspersky): evidence Mirror, Confirmed",
		"In force:    announced since 2024-06-20 (America/New_York): ban announced",
		"Action:      Introduce Warn, Update Warn, Continue Audit",
		"Next:        sales-prohibited from 2024-07-20 00:00 EDT (24 hours left) (America/New_York): new",
		"agreements with US persons are prohibited; then Introduce Deny, Update Warn,",
		"89 FR 52434 https://www.federalregister.gov/citation/89-FR-52434",
		"no policy has the audience of us-bod-17-01 (us-federal-civilian)",
		"none: no pattern or digest of the restricted list matches",
		"Nearest:     repo.kcs.kaspersky.com/** of kaspersky: it would match but for a slip",
		"To mend:     write the repository in lower case; only a tag may have upper case",
		"Right:       docker.io/acme/app:latest, if that is what was meant",
	} {
		assert.Contains(t, a.stdout, line)
	}
	assert.Contains(t, a.stderr, "notice: evaluated as of 2024-07-19, not now")
	assert.NotContains(t, a.stdout, "notice")
	for line := range strings.Lines(a.stdout) {
		assert.LessOrEqual(t, len([]rune(strings.TrimSuffix(line, "\n"))), 100, line)
	}
}

func TestAnExplanationKeepsTheTerminalClean(t *testing.T) {
	a := run(t, "", "explain", "a\x1b[31m\nb", " ", strings.Repeat("a", 300))
	assert.Equal(t, 0, a.code, a.stderr)
	assert.NotContains(t, a.stdout, "\x1b")
	assert.Contains(t, a.stdout, "\" \"\n  Problem:     Unresolved: it is empty")
	assert.Contains(t, a.stdout, "longer than 255 characters")
}

func TestAnExplanationForPrograms(t *testing.T) {
	r := explainJSON(t, "kaspersky/scanengine_httpd:2.1", "--as-of", "2024-07-20T03:59:59Z", "--audience", "us-persons,us-federal")
	assert.Equal(t, "2024-07-20T03:59:59Z", r.AsOf)
	require.Len(t, r.Images, 1)
	v := r.Images[0].Vendors[0]
	assert.Equal(t, "Confirmed", v.Confidence)
	us := v.Restrictions[0]
	assert.Equal(t, "announced", us.Phase.Phase, "a second before the next begins")
	assert.Equal(t, "2024-07-20", us.Next.Local)
	assert.Equal(t, "2024-07-20T04:00:00Z", us.Next.Effective.Format(time.RFC3339))
	at := slices.IndexFunc(v.Restrictions, func(r explanation.Restriction) bool { return r.Restriction == "us-ndaa-1634" })
	assert.Equal(t, []string{"default"}, v.Restrictions[at].Policies)
	assert.EqualValues(t, "Deny", v.Restrictions[at].Actions.Introduce)
}

func TestWhatWouldBeRightIsSaid(t *testing.T) {
	r := explainJSON(t, "https://ghcr.io/acme/app:1", "acme/app@sha256:abc", "nginx")
	assert.Equal(t, "ghcr.io/acme/app:1", r.Images[0].Suggestion)
	assert.Equal(t, []string{"leave out https://, an image has no scheme"}, r.Images[0].Advice)
	assert.Empty(t, r.Images[1].Suggestion, "no digest can be made up")
	assert.Contains(t, r.Images[1].Advice[0], "a digest is sha256: and 64 lower-case hexadecimal digits")
	assert.Empty(t, r.Images[2].Advice)
}

func TestExplainSaysUntilWhenAWaiverHolds(t *testing.T) {
	policy := write(t, "p.yaml", "apiVersion: embargo.dev/v1alpha1\nkind: VendorWaiver\nmetadata: {name: w}\nspec:\n  vendor: kaspersky\n  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: mail}}\n  images: [kaspersky/**]\n  expires: \"2025-01-31T18:00:00Z\"\n  reason: r\n  approvedBy: a\n")
	for at, until := range map[string]string{"2024-12-01": "until 2025-01-31\n", "2025-01-31T12:00:00Z": "until 2025-01-31 18:00 UTC (6 hours left)"} {
		t.Setenv("COLUMNS", "200")
		a := run(t, "", "explain", "kaspersky/scanengine_httpd:2.1", "--policy", policy, "--as-of", at)
		assert.Contains(t, a.stdout, "w allows it in the namespaces that it selects, "+until)
	}
}

func TestExplainSaysWhatIsWrongWithItsUse(t *testing.T) {
	for says, args := range map[string][]string{
		"want an image":                     {},
		"--resources takes no image":        {"nginx", "--resources"},
		"--context goes with --resources":   {"nginx", "--context", "x"},
		`-o "xml"`:                          {"nginx", "-o", "xml"},
		"--as-of":                           {"nginx", "--as-of", "2024-02-30"},
		"--list takes RestrictedVendor obj": {"nginx", "--list", write(t, "l.yaml", "{apiVersion: v1, kind: Pod}")},
	} {
		a := run(t, "", append([]string{"explain"}, args...)...)
		assert.Equal(t, 2, a.code, says)
		assert.Contains(t, a.stderr, says)
	}
}

func TestCoveredResourcesOffline(t *testing.T) {
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	a := run(t, "", "explain", "--resources")
	assert.Equal(t, 0, a.code, a.stderr)
	assert.Contains(t, a.stdout, "deployments")
	assert.Contains(t, a.stdout, "pods/ephemeralcontainers")
	assert.Contains(t, a.stderr, "no kubeconfig names a cluster")
}
