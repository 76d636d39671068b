package command_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/yaml"

	"embargo.dev/cmd/kubectl-embargo/internal/command"
	"embargo.dev/cmd/kubectl-embargo/internal/output"
	"embargo.dev/policies"
	"embargo.dev/test/scenario"
)

// answer is what a run comes to.
type answer struct {
	code   int
	stdout string
	stderr string
}

func run(t *testing.T, stdin string, args ...string) answer {
	t.Helper()
	var out, errOut bytes.Buffer
	code := command.Run(t.Context(), args, genericiooptions.IOStreams{In: strings.NewReader(stdin), Out: &out, ErrOut: &errOut})
	return answer{code, out.String(), errOut.String()}
}

func runJSON(t *testing.T, stdin string, args ...string) (output.Result, answer) {
	t.Helper()
	a := run(t, stdin, append(args, "-o", "json")...)
	var r output.Result
	require.NoError(t, json.Unmarshal([]byte(a.stdout), &r), a.stdout+a.stderr)
	return r, a
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

const deployment = `# the scanner
apiVersion: apps/v1
kind: Deployment
metadata:
  name: av
  namespace: mail
spec:
  template:
    spec:
      containers:
        - name: scanner
          image: "kaspersky/scanengine_httpd:2.1"
`

func TestJSONIsAsTheContractSays(t *testing.T) {
	r := run(t, deployment, "check", "-f", "-", "--as-of", "2024-09-30", "-o", "json")
	assert.Equal(t, 1, r.code)
	want, err := os.ReadFile("testdata/check.json")
	require.NoError(t, err)
	got := digestPattern.ReplaceAllString(r.stdout, `"sha256:…"`)
	assert.Equal(t, string(want), got)
}

func TestExitCodes(t *testing.T) {
	clean := strings.ReplaceAll(deployment, "kaspersky/scanengine_httpd:2.1", "nginx")
	suspected := strings.ReplaceAll(deployment, "kaspersky/scanengine_httpd:2.1", "ghcr.io/kaspersky/x")
	for label, c := range map[string]struct {
		stdin string
		args  []string
		code  int
		says  string
	}{
		"clean":                       {clean, []string{"-f", "-"}, 0, "No findings in 1 object with 1 image"},
		"denied":                      {deployment, []string{"-f", "-"}, 1, "refused by cluster policy"},
		"denied, fail on none":        {deployment, []string{"-f", "-", "--fail-on", "None"}, 0, "1 Deny"},
		"warned":                      {suspected, []string{"-f", "-"}, 0, "1 Warn"},
		"warned, fail on Warn":        {suspected, []string{"-f", "-", "--fail-on", "Warn"}, 1, "1 Warn"},
		"before the ban":              {deployment, []string{"-f", "-", "--as-of", "2024-01-01"}, 0, "No findings"},
		"use Update while allowed":    {deployment, []string{"-f", "-", "--as-of", "2024-08-01", "--use", "Update"}, 0, "1 Warn"},
		"another audience":            {deployment, []string{"-f", "-", "--audience", "us-exporters"}, 0, "1 Audit"},
		"no input":                    {"", nil, 2, "want manifests (-f)"},
		"unknown flag":                {"", []string{"--nonsense"}, 2, "unknown flag"},
		"unknown format":              {"", []string{"-f", "-", "-o", "xml"}, 2, `-o "xml"`},
		"unknown fail-on":             {"", []string{"-f", "-", "--fail-on", "refuse"}, 2, "--fail-on"},
		"unknown use":                 {"", []string{"-f", "-", "--use", "Buy"}, 2, "--use"},
		"empty as-of":                 {"", []string{"-f", "-", "--as-of", ""}, 2, "--as-of"},
		"as-of that can't be written": {deployment, []string{"-f", "-", "--as-of", "9999-12-31T23:59:59-12:00"}, 2, "before the year 10000"},
		"impossible as-of":            {"", []string{"-f", "-", "--as-of", "2024-02-30"}, 2, "2024-02-30"},
		"broken document, rest told":  {deployment + "---\na: [\n", []string{"-f", "-"}, 2, "refused by cluster policy"},
		"missing file":                {"", []string{"-f", "/nonexistent.yaml"}, 2, "no such file"},
		"unreachable":                 {"", []string{"-f", "http://127.0.0.1:1/x.yaml"}, 3, "can't be reached"},
		"unreachable and findings":    {deployment, []string{"-f", "-", "-f", "http://127.0.0.1:1/x.yaml"}, 3, "1 Deny"},
		"unreadable before unreached": {"a: [", []string{"-f", "-", "-f", "http://127.0.0.1:1/x.yaml"}, 2, "can't be reached"},
		"missing file as argument":    {"", []string{"deploy.yaml"}, 2, "deploy.yaml: no such file"},
		"list left empty":             {clean, []string{"-f", "-", "--list", ""}, 2, "--list: want a file"},
		"policy left empty":           {clean, []string{"-f", "-", "--policy", "a.yaml,"}, 2, "--policy: want a file"},
		"audience left empty":         {clean, []string{"-f", "-", "--audience", ""}, 2, "--audience: want the name"},
		"list without anything":       {clean, []string{"-f", "-", "--list", "/dev/null"}, 2, "/dev/null: --list: there is no RestrictedVendor in it"},
		"policy without anything":     {clean, []string{"-f", "-", "--policy", "/dev/null"}, 2, "/dev/null: --policy: there is no VendorPolicy or VendorWaiver in it"},
		"review without anything":     {"", []string{"--review", "-"}, 2, "-: no AdmissionReview with a request"},
		"review without its object":   {`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"operation":"CREATE","object":null}}`, []string{"--review", "-"}, 2, "<stdin>:1: request.object: Required value"},
		"standard input twice":        {deployment, []string{"-f", "-", "--list", "-"}, 2, "standard input can be read once only"},
		"nothing in the input":        {"", []string{"-f", "-"}, 2, "there is no Kubernetes object in this input"},
	} {
		t.Run(label, func(t *testing.T) {
			a := run(t, c.stdin, append([]string{"check"}, c.args...)...)
			assert.Equal(t, c.code, a.code, a.stdout+a.stderr)
			assert.Contains(t, a.stdout+a.stderr, c.says)
		})
	}
}

func TestDocumentsAreCountedAndErrorsPlaced(t *testing.T) {
	input := "---\n# nothing\n---\nfoo: bar\n---\n- 1\n---\n" + deployment + "--- # broken\nkind: [\n---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: nginx}]}}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}\n---\na: 1\na: 2\n"
	r, a := runJSON(t, input, "check", "-f", "-")
	assert.Equal(t, 2, a.code)
	assert.Equal(t, output.Summary{Objects: 3, Skipped: 2, Images: 2, Deny: 1}, r.Summary)
	assert.Contains(t, a.stderr, "<stdin>:21:")
	assert.Contains(t, a.stderr, `key "a" already`)
	assert.Equal(t, 19, r.Findings[0].Line)
	assert.Equal(t, 18, r.Findings[0].Column)
}

func TestPositions(t *testing.T) {
	for content, want := range map[string][2]int{
		"apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: kaspersky/scanengine_x\n":                                          {5, 12},
		"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\n\"spec\":{\"containers\":[{\"image\":\"kaspersky/scanengine_x\"}]}}":                 {2, 32},
		"apiVersion: v1\nkind: Pod\nx: &c\n  image: kaspersky/scanengine_x\nspec: {containers: [*c]}\n":                                 {4, 10},
		"apiVersion: v1\nkind: Pod\nx: &c\n  image: kaspersky/scanengine_x\nspec:\n  containers:\n  - <<: *c\n    name: a\n":            {4, 10},
		"apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: >-\n      kaspersky/scanengine_x\n":                                {5, 12},
		"apiVersion: v1\nkind: PodList\nitems:\n- apiVersion: v1\n  kind: Pod\n  spec: {containers: [{image: kaspersky/scanengine_x}]}": {6, 31},
		"--- {apiVersion: v1, kind: Pod, spec: {containers: [{image: kaspersky/scanengine_x}]}}\n":                                      {1, 61},
		"a: 1\n...\napiVersion: v1\nkind: Pod\nspec: {containers: [{image: kaspersky/scanengine_x}]}\n":                                 {5, 29},
		`{"a":1} {"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"image":"kaspersky/scanengine_x"}]}}`:                           {1, 72},
		"\uFEFFapiVersion: v1\nkind: Pod\nspec: {containers: [{image: kaspersky/scanengine_x}]}\n":                                      {3, 29},
		"apiVersion: v1\nkind: PodList\nitems: [{spec: {containers: [{image: kaspersky/scanengine_x}]}}]\n":                             {3, 38},
		"x: &k image\napiVersion: v1\nkind: Pod\nspec: {containers: [{*k : kaspersky/scanengine_x}]}\n":                                 {4, 27},
	} {
		r, _ := runJSON(t, content, "check", "-f", "-")
		require.Len(t, r.Findings, 1, content)
		assert.Equal(t, want, [2]int{r.Findings[0].Line, r.Findings[0].Column}, content)
	}
}

func TestFoldersAndNamespaces(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "below"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.yaml"), []byte(deployment), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "below", "b.yml"), []byte(deployment), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "z.json"), []byte(`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"mail","labels":{"team":"web"}}}`), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("a: ["), 0o600))
	r, _ := runJSON(t, "", "check", "-f", dir)
	assert.Equal(t, 2, r.Summary.Objects)
	assert.Len(t, r.Findings, 1)
	r, _ = runJSON(t, "", "check", "-f", dir, "-R")
	assert.Len(t, r.Findings, 2)
	policy := write(t, "p.yaml", "apiVersion: embargo.dev/v1alpha1\nkind: VendorPolicy\nmetadata: {name: p}\nspec: {audiences: [us-persons], namespaceSelector: {matchLabels: {team: mail}}}\n")
	r, _ = runJSON(t, "", "check", "-f", dir, "--policy", policy)
	assert.Empty(t, r.Findings, "the namespace in the input is of another team")
	r, _ = runJSON(t, deployment, "check", "-f", "-", "--policy", policy)
	assert.Len(t, r.Findings, 1, "where its labels are unknown, a policy is taken to select it")
	assert.Contains(t, strings.Join(r.Notices, "\n"), `the labels of namespace "mail" are not in the input`)
}

func TestFoldersBehindSymbolicLinks(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.yaml"), []byte(deployment), 0o600))
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(dir, link))
	r, _ := runJSON(t, "", "check", "-f", link)
	require.Len(t, r.Findings, 1, "what was asked for is read")
	assert.Equal(t, filepath.Join(link, "a.yaml"), r.Findings[0].File)
	r, _ = runJSON(t, "", "check", "-f", filepath.Dir(link), "-R")
	assert.Empty(t, r.Findings)
	assert.Contains(t, r.Notices, "folder "+link+" is a symbolic link: what is in it isn't read")
}

func TestTheOldObjectLiesInTheNamespaceThatIsAssumed(t *testing.T) {
	old := write(t, "old.yaml", deployment)
	r, _ := runJSON(t, deploymentWith("  namespace: mail\n", ""), "check", "-f", "-", "-n", "mail", "--old", old)
	assert.Equal(t, policies.UseContinue, r.Findings[0].Use)
}

func TestRulesAreReadStrictly(t *testing.T) {
	for content, says := range map[string]string{
		"apiVersion: embargo.dev/v1alpha1\nkind: RestrictedVendor\nmetadata: {name: x}\nspec: {displayName: X, colour: red}\n": `unknown field "spec.colour"`,
		"apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n":                                                                     "--list takes RestrictedVendor",
		"foo: bar\n": "--list: no Kubernetes object",
		"apiVersion: embargo.dev/v1alpha1\nkind: RestrictedVendor\nmetadata: {name: x}\nspec: {displayName: 7}\n":                                                             ":4: RestrictedVendor: spec.displayName",
		"apiVersion: embargo.dev/v1alpha1\nkind: RestrictedVendor\nmetadata: {name: x}\nspec: {DisplayName: X}\n":                                                             ":4: RestrictedVendor: unknown field",
		"apiVersion: embargo.dev/v1alpha1\nkind: RestrictedVendor\nspec: {displayName: X}\n":                                                                                  "metadata.name: Required value",
		"apiVersion: embargo.dev/v1alpha1\nkind: RestrictedVendor\nmetadata: {name: x}\n---\napiVersion: embargo.dev/v1alpha1\nkind: RestrictedVendor\nmetadata: {name: x}\n": `RestrictedVendor "x" is given already at`,
		"apiVersion: embargo.dev/v1alpha1\nkind: RestrictedVendor\nmetadata: {name: x}\nspec:\n  displayName: X\n  images: {repositories: [{pattern: '*/*'}]}\n":              ":6: RestrictedVendor \"x\": spec.images.repositories[0].pattern",
	} {
		a := run(t, deployment, "check", "-f", "-", "--list", write(t, "list.yaml", content))
		assert.Equal(t, 2, a.code)
		assert.Contains(t, a.stderr, says)
		assert.Contains(t, a.stderr, "list.yaml:")
	}
}

func TestPoliciesAreReadStrictly(t *testing.T) {
	waiver := "apiVersion: embargo.dev/v1alpha1\nkind: VendorWaiver\nmetadata: {name: w}\nspec:\n  vendor: kaspersky\n  namespaceSelector: {matchLabels: {a: b}}\n  images: [kaspersky/scanengine_httpd]\n  expires: \"2025-01-31T00:00:00Z\"\n  reason: r\n  approvedBy: a\n"
	for label, c := range map[string]struct{ content, says string }{
		"no audience":     {"apiVersion: embargo.dev/v1alpha1\nkind: VendorPolicy\nmetadata: {name: p}\nspec: {audiences: []}\n", ":4: VendorPolicy \"p\": spec.audiences: Required value"},
		"long lead time":  {"apiVersion: embargo.dev/v1alpha1\nkind: VendorPolicy\nmetadata: {name: p}\nspec:\n  audiences: [us-persons]\n  leadTimeDays: 3651\n", ":6: VendorPolicy \"p\": spec.leadTimeDays: Invalid value: 3651: want 0 to 3650"},
		"mirrors' loop":   {"apiVersion: embargo.dev/v1alpha1\nkind: VendorPolicy\nmetadata: {name: p}\nspec:\n  audiences: [us-persons]\n  mirrors:\n  - {prefix: a.io, upstream: b.io}\n  - {prefix: b.io, upstream: a.io}\n", ":7: VendorPolicy \"p\": spec.mirrors[0]: Invalid value"},
		"no vendor":       {strings.Replace(waiver, "  vendor: kaspersky\n", "", 1), "spec.vendor: Required value"},
		"no image":        {strings.Replace(waiver, "[kaspersky/scanengine_httpd]", "[]", 1), ":7: VendorWaiver \"w\": spec.images: Required value"},
		"no instant":      {strings.Replace(waiver, "2025-01-31T00:00:00Z", "2025-01-31", 1), ":8: VendorWaiver: spec.expires"},
		"no approver":     {strings.Replace(waiver, "  approvedBy: a\n", "", 1), "spec.approvedBy"},
		"another kind":    {"apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n", "--policy takes VendorPolicy and VendorWaiver"},
		"impossible tags": {strings.Replace(waiver, "kaspersky/scanengine_httpd", "'*/*'", 1), "spec.images[0]"},
	} {
		t.Run(label, func(t *testing.T) {
			a := run(t, deployment, "check", "-f", "-", "--policy", write(t, "policy.yaml", c.content))
			assert.Equal(t, 2, a.code)
			assert.Contains(t, a.stderr, c.says)
			assert.Contains(t, a.stderr, "policy.yaml:")
		})
	}
	a := run(t, deployment, "check", "-f", "-", "--policy", write(t, "policy.yaml", waiver), "--audience", "us-person")
	assert.Equal(t, 2, a.code, a.stderr)
	assert.Contains(t, a.stderr, `"us-person"`, "a misspelt audience is refused")
}

// TestAReplayDecidesAsTheWebhook repeats every scenario as a recorded review.
func TestAReplayDecidesAsTheWebhook(t *testing.T) {
	const dir = "../../../../policies/testdata/scenarios"
	scenarios, err := scenario.Load(dir)
	require.NoError(t, err)
	for _, s := range scenarios {
		if s.Trusted || len(s.At) == len(time.DateOnly) {
			continue // trust is a setting of the controller, and a webhook has instants only
		}
		t.Run(s.Name(dir), func(t *testing.T) {
			rules, _ := s.RuleSet()
			request, err := s.Request()
			require.NoError(t, err)
			instant, err := s.Instant()
			require.NoError(t, err)
			want := rules.Evaluate(request, instant)
			list, policy := ruleFiles(t, s)
			review, err := s.Review()
			require.NoError(t, err)
			raw, err := json.Marshal(review)
			require.NoError(t, err)
			args := []string{"check", "--review", write(t, "review.json", string(raw)), "--as-of", s.At, "--list", list, "--policy", policy}
			if around := documents(t, s.Surroundings()); around != "" {
				args = append(args, "-f", write(t, "context.yaml", around))
			}
			got, a := runJSON(t, "", args...)
			assert.Equal(t, rules.Digest(), got.RuleSet)
			assert.Equal(t, map[bool]int{true: 1, false: 0}[want.Denied()], a.code, a.stderr)
			var findings []policies.Finding
			for _, f := range got.Findings {
				findings = append(findings, f.Finding)
			}
			assert.Equal(t, comparable(t, want.Findings), comparable(t, findings))
		})
	}
}

func comparable(t *testing.T, findings []policies.Finding) string {
	t.Helper()
	text, err := yaml.Marshal(findings)
	require.NoError(t, err)
	return string(text)
}

func ruleFiles(t *testing.T, s *scenario.Scenario) (list, policy string) {
	t.Helper()
	return write(t, "list.yaml", documents(t, s.Vendors)), write(t, "policy.yaml", documents(t, s.Policies)+documents(t, s.Waivers))
}

func documents[T any](t *testing.T, objects []T) string {
	t.Helper()
	var text strings.Builder
	for i := range objects {
		content, err := yaml.Marshal(&objects[i])
		require.NoError(t, err)
		text.WriteString("---\n" + string(content))
	}
	return text.String()
}

// digestPattern is the rule set's digest, which changes with the built-in list.
var digestPattern = regexp.MustCompile(`"sha256:[0-9a-f]{64}"`)

// TestARuleSetInOneFileServesBothFlags gives what export writes to --list and to
// --policy, as a file and as a folder.
func TestARuleSetInOneFileServesBothFlags(t *testing.T) {
	policy := "---\napiVersion: embargo.dev/v1alpha1\nkind: VendorPolicy\nmetadata: {name: p}\nspec: {audiences: [us-persons]}\n"
	file := write(t, "rules.yaml", acmeVendor+policy)
	const unused = "are not used: give it to --policy too"
	for _, given := range []string{file, filepath.Dir(file)} {
		_, a := runJSON(t, deployment, "check", "-f", "-", "--list", given, "--policy", given)
		assert.Equal(t, 0, a.code, a.stderr)
		assert.NotContains(t, a.stderr, unused)
		assert.NotContains(t, a.stderr, "default policy")
	}
	_, a := runJSON(t, deployment, "check", "-f", "-", "--list", file)
	assert.Contains(t, a.stderr, unused)
	vendorsOnly := write(t, "rules.yaml", acmeVendor)
	_, a = runJSON(t, deployment, "check", "-f", "-", "--list", vendorsOnly, "--policy", vendorsOnly)
	assert.Contains(t, a.stderr, "there is no VendorPolicy: nothing is restricted", "a cluster without policies is repeated as such")
}

func TestAnExpiredWaiverIsNoted(t *testing.T) {
	policy := write(t, "waiver.yaml", "apiVersion: embargo.dev/v1alpha1\nkind: VendorWaiver\nmetadata: {name: old}\nspec:\n  vendor: kaspersky\n  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: mail}}\n  images: [kaspersky/scanengine_httpd]\n  expires: \"2025-01-31T00:00:00Z\"\n  reason: r\n  approvedBy: a\n")
	for at, says := range map[string]string{
		"2025-01-30": "", "2025-01-31": `waiver "old" expired on 2025-01-31 00:00 UTC and no longer counts`,
		"2025-01-31T00:00:00Z": `waiver "old" expired on 2025-01-31 00:00 UTC and no longer counts`,
		"2025-02-02":           `waiver "old" expired on 2025-01-31 and no longer counts`,
	} {
		noted := min(len(says), 1)
		r, a := runJSON(t, deployment, "check", "-f", "-", "--policy", policy, "--as-of", at)
		assert.Equal(t, noted, a.code, "%s: %s", at, a.stderr)
		assert.Equal(t, noted, strings.Count(strings.Join(r.Notices, "\n"), "and no longer counts"), at)
		assert.Contains(t, strings.Join(r.Notices, "\n"), says, at)
	}
}

// deploymentWith is the deployment with one thing in it replaced.
func deploymentWith(old, with string) string { return strings.Replace(deployment, old, with, 1) }

const sha = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
