package command_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/unicode"
	"sigs.k8s.io/yaml"

	"embargo.dev/cmd/kubectl-embargo/internal/output"
)

const restrictedPod = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"kaspersky/scanengine_httpd:2.1"}]}}`

func TestInputWithoutObjectsFails(t *testing.T) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("<html><body>please sign in</body></html>"))
	}))
	t.Cleanup(page.Close)
	values := tree(t, map[string]string{"values.yaml": "replicas: 3\n"})
	below := tree(t, map[string]string{"deep/pod.json": restrictedPod})
	kustomization := tree(t, map[string]string{"kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nimages: [{name: app, newName: kaspersky/scanengine_httpd}]\n"})
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"nothing":                       {[]string{"-f", "-"}, 2, "error: -: there is no Kubernetes object in this input; --allow-empty accepts that"},
		"nothing, accepted":             {[]string{"-f", "-", "--allow-empty"}, 0, "notice: there is no Kubernetes object in -"},
		"a page to sign in":             {[]string{"-f", page.URL}, 2, "there is no Kubernetes object"},
		"values":                        {[]string{"-f", values}, 2, "there is no Kubernetes object"},
		"a folder with folders":         {[]string{"-f", below}, 2, "1 folder is not read, -R reads them: " + filepath.Join(below, "deep")},
		"a folder with folders, read":   {[]string{"-f", below, "-R"}, 1, "1 Deny"},
		"a kustomization":               {[]string{"-f", kustomization}, 2, "kubectl kustomize " + kustomization},
		"all excluded":                  {[]string{"-f", values, "--exclude", "*.yaml"}, 0, "notice: there is no Kubernetes object"},
		"a file by itself, excluded":    {[]string{filepath.Join(values, "values.yaml"), "--exclude", "values.yaml"}, 0, "notice: there is no"},
		"some excluded, nothing left":   {[]string{"-f", values, "-f", below, "-R", "--exclude", "deep"}, 2, "there is no Kubernetes object"},
		"a pattern that can't be read":  {[]string{"-f", values, "--exclude", "[a"}, 2, `--exclude: "[a" is not a glob pattern`},
		"a pattern that matches a file": {[]string{"-f", filepath.Join(below, "*", "*.json")}, 1, "1 Deny"},
		"a pattern that matches none":   {[]string{"-f", filepath.Join(below, "*.yml")}, 2, "no file matches"},
	} {
		t.Run(name, func(t *testing.T) {
			a := run(t, "", append([]string{"check"}, c.args...)...)
			assert.Equal(t, c.code, a.code, a.stdout+a.stderr)
			assert.Contains(t, a.stdout+a.stderr, c.says)
		})
	}
}

func TestExclude(t *testing.T) {
	root := tree(t, map[string]string{
		"a.yaml": restrictedPod, "tests/b.yaml": restrictedPod, "deep/tests/c.yaml": restrictedPod, "deep/d.json": restrictedPod,
	})
	for pattern, want := range map[string]int{"tests": 2, "*.json": 3, "deep": 2, "deep/**": 2, "deep/tests": 3, "./tests/": 2, "**/c.yaml": 3, "tests/*": 3} {
		result, _ := runJSON(t, "", "check", "-f", root, "-R", "--exclude", pattern)
		assert.Len(t, result.Findings, want, pattern)
	}
	result, _ := runJSON(t, "", "check", "-f", root, "-R", "--exclude", "tests", "--exclude", "*.json")
	assert.Len(t, result.Findings, 1)
}

func TestFilesAreArgumentsToo(t *testing.T) {
	root := tree(t, map[string]string{"a.json": restrictedPod, "b.json": restrictedPod, "c.json": restrictedPod})
	result, a := runJSON(t, "", "check", filepath.Join(root, "a.json"), filepath.Join(root, "b.json"), "-f", filepath.Join(root, "c.json"))
	assert.Len(t, result.Findings, 3, a.stderr)
}

// TestWhatLooksLikeAnObjectIsNamed: a slip in apiVersion must not pass for a clean result.
func TestWhatLooksLikeAnObjectIsNamed(t *testing.T) {
	manifest := strings.ReplaceAll(deployment, "# the scanner\n", "")
	root := tree(t, map[string]string{
		"array.json": "[" + restrictedPod + "]",
		"typo.yaml":  strings.Replace(manifest, "apiVersion", "apiversion", 1),
		"glued.yaml": "---\napiVersion: v1\nkind: Service\nmetadata: {name: s}\n---\n# Source: x\n---" + manifest,
		"none.yaml":  strings.Replace(manifest, "kind: Deployment\n", "", 1),
		"values.yml": "kind: tools\nreplicas: 3\n",
	})
	result, a := runJSON(t, "", "check", "-f", root)
	assert.Equal(t, 1, a.code)
	require.Len(t, result.Findings, 1)
	assert.Equal(t, "spec.containers[0].image", result.Findings[0].Field)
	assert.Equal(t, filepath.Join(root, "array.json"), result.Findings[0].File)
	assert.Contains(t, a.stderr, `typo.yaml:1: this looks like a Kubernetes object but has "apiversion" instead of "apiVersion", so it is not checked`)
	assert.Contains(t, a.stderr, `glued.yaml:7: this looks like a Kubernetes object but has "---apiVersion" instead of "apiVersion"`)
	assert.Contains(t, a.stderr, `none.yaml:1: this looks like a Kubernetes object but has no kind`)
	assert.NotContains(t, a.stderr, "values.yml")

	sarif := run(t, "", "check", "-f", root, "-o", "sarif").stdout
	assert.Contains(t, sarif, "typo.yaml:1: this looks like a Kubernetes object")
	junit := run(t, "", "check", "-f", root, "-o", "junit").stdout
	assert.Regexp(t, `<testcase name="[^"]*typo.yaml:1: this looks like[^>]*>\s*<skipped>`, junit)
}

func TestAPositionInAnArrayIsThatOfItsField(t *testing.T) {
	result, _ := runJSON(t, "[\n"+restrictedPod+",\n"+restrictedPod+"]", "check", "-f", "-")
	require.Len(t, result.Findings, 2)
	assert.Equal(t, []int{2, 3}, []int{result.Findings[0].Line, result.Findings[1].Line})
}

func TestUnrenderedTemplatesAreOneErrorEach(t *testing.T) {
	const template = "{{- if .Values.on }}\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ include \"x.name\" . }}\n---\na: {{ .Values.b | nindent 4 }}\n{{- end }}\n"
	root := tree(t, map[string]string{
		"chart/Chart.yaml":                      "apiVersion: v2\nname: chart\nversion: 0.1.0\n",
		"chart/templates/a.yaml":                template,
		"chart/templates/b.yaml":                template,
		"chart/charts/inner/Chart.yaml":         "apiVersion: v2\nname: inner\nversion: 0.1.0\n",
		"chart/charts/inner/templates/c.yaml":   template,
		"loose/templates/a.yaml":                template,
		"plain/Chart.yaml":                      "apiVersion: v2\nname: plain\nversion: 0.1.0\n",
		"plain/templates/p.json":                restrictedPod,
		"kustomized/kustomization.yaml":         "images: [{name: a, newName: b}]\n",
		"devcontainer/settings/devcontainer.js": "// ignored",
	})
	result, a := runJSON(t, "", "check", "-f", root, "-R")
	assert.Equal(t, 2, a.code)
	require.Len(t, result.Errors, 2, a.stderr)
	assert.Equal(t, output.InputError{File: filepath.Join(root, "chart"), Message: result.Errors[0].Message}, result.Errors[0])
	assert.Contains(t, result.Errors[0].Message, "helm template "+filepath.Join(root, "chart"))
	assert.Equal(t, filepath.Join(root, "loose", "templates", "a.yaml"), result.Errors[1].File)
	assert.Contains(t, result.Errors[1].Message, "this is a template")
	assert.Len(t, result.Findings, 1, "a template that is a manifest as it stands is checked")
	assert.Contains(t, a.stderr, "notice: "+filepath.Join(root, "plain")+": a Helm chart is checked as it is rendered")
	assert.Contains(t, a.stderr, "kubectl kustomize "+filepath.Join(root, "kustomized"))
	assert.Equal(t, 2, strings.Count(a.stderr, "error: "))

	assert.Equal(t, 1, run(t, "", "check", "-f", root, "-R", "--exclude", "chart", "--exclude", "loose").code)
}

// TestWhatHasToBeRenderedSharesANotice where there is much of it.
func TestWhatHasToBeRenderedSharesANotice(t *testing.T) {
	files := map[string]string{"pod.json": restrictedPod}
	for i := range 7 {
		files[fmt.Sprintf("k%d/kustomization.yaml", i)] = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
		files[fmt.Sprintf("c%d/Chart.yaml", i)] = "apiVersion: v2\nname: chart\nversion: 0.1.0\n"
	}
	root := tree(t, files)
	a := run(t, "", "check", "-f", root, "-R")
	assert.Equal(t, 1, strings.Count(a.stderr, "kustomizations are checked as they are rendered"), a.stderr)
	assert.Contains(t, a.stderr, "7 kustomizations are checked as they are rendered, such as kubectl kustomize "+filepath.Join(root, "k0")+" | ")
	assert.Contains(t, a.stderr, "7 Helm charts are checked as they are rendered, such as helm template "+filepath.Join(root, "c0")+" | ")
	assert.Equal(t, 2, strings.Count(a.stderr, " and 2 more"))

	a = run(t, "", "check", "-f", root, "-R", "--exclude", "[kc][0-3]")
	assert.Equal(t, 3, strings.Count(a.stderr, "a Helm chart is checked as it is rendered: helm template "), a.stderr)
	assert.Equal(t, 3, strings.Count(a.stderr, "a kustomization is checked as it is rendered: kubectl kustomize "), a.stderr)
}

func TestATemplateIsCalledSoOnce(t *testing.T) {
	file := write(t, "t.yaml", "a: {{ .b }}\n")
	a := run(t, "", "check", "-f", file)
	assert.Equal(t, "error: "+file+":1: this is a template (it has {{ … }}), which has to be rendered before it is checked: a key is a map or a list, but should be text\n",
		strings.SplitAfter(a.stderr, "\n")[0])
}

func TestErrorsAreInTheResult(t *testing.T) {
	file := write(t, "broken.yaml", "a: b\n---\na: [\n")
	result, a := runJSON(t, deployment, "check", "-f", "-", "-f", file)
	assert.Equal(t, 2, a.code)
	require.Len(t, result.Errors, 1)
	assert.Equal(t, file, result.Errors[0].File)
	assert.GreaterOrEqual(t, result.Errors[0].Line, 3)
	assert.NotEmpty(t, result.Errors[0].Message)

	var log struct {
		Runs []struct {
			Invocations []struct {
				ExecutionSuccessful        bool
				ToolExecutionNotifications []struct{ Level string }
			}
		}
	}
	sarif := run(t, deployment, "check", "-f", "-", "-f", file, "-o", "sarif")
	assert.Equal(t, 2, sarif.code)
	require.NoError(t, json.Unmarshal([]byte(sarif.stdout), &log))
	assert.True(t, log.Runs[0].Invocations[0].ExecutionSuccessful, "there are results: readers drop those of a run that failed")
	assert.Equal(t, "error", log.Runs[0].Invocations[0].ToolExecutionNotifications[0].Level)
}

func TestRulesWithoutAnObjectOfTheirKind(t *testing.T) {
	vendor := write(t, "vendor.yaml", `
apiVersion: embargo.dev/v1alpha1
kind: RestrictedVendor
metadata: {name: acme}
spec:
  displayName: Acme
  images: {repositories: [{pattern: "acme/**"}]}
  restrictions:
    - {name: r, authority: A, citations: [{title: T, url: "https://example.com"}], audience: us-persons, timeZone: UTC, schedule: [{phase: p, effective: "2024-01-01", introduce: Deny, update: Deny, continue: Warn}]}
`)
	values := write(t, "values.yaml", "a: b\n")
	broken := write(t, "broken.yaml", "a: [\n")
	kaspersky := write(t, "kaspersky.yaml", strings.ReplaceAll(`
apiVersion: embargo.dev/v1alpha1
kind: RestrictedVendor
metadata: {name: kaspersky}
spec: {displayName: K, restrictions: []}
`, "\t", ""))
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"list without vendors":            {[]string{"--list", values}, 2, "--list: no Kubernetes object"},
		"empty list":                      {[]string{"--list", "/dev/null"}, 2, "/dev/null: --list: there is no RestrictedVendor in it"},
		"empty policy":                    {[]string{"--policy", "/dev/null"}, 2, "/dev/null: --policy: there is no VendorPolicy or VendorWaiver in it"},
		"a vendor as a policy":            {[]string{"--policy", vendor}, 2, "there is no VendorPolicy or VendorWaiver in it"},
		"broken policy":                   {[]string{"--policy", broken}, 2, "the policies given can't be read: the default policy is assumed"},
		"own list":                        {[]string{"--list", vendor}, 0, "notice: the built-in restricted list is not used; --list builtin adds it"},
		"own list and the built-in one":   {[]string{"--list", vendor, "--list", "builtin"}, 1, "1 Deny"},
		"both in one flag":                {[]string{"--list", "builtin," + vendor}, 1, "1 Deny"},
		"the built-in list by its name":   {[]string{"--list", "builtin"}, 1, "1 Deny"},
		"a file called builtin":           {[]string{"--list", "./builtin"}, 2, "./builtin: no such file"},
		"a vendor that is built in":       {[]string{"--list", "builtin," + kaspersky}, 2, `RestrictedVendor "kaspersky" is on the built-in list already`},
		"an audience that nothing has":    {[]string{"--audience", "us-person"}, 2, `--audience "us-person": no restriction on the list is for it; did you mean us-persons?`},
		"one of two audiences":            {[]string{"--audience", "us-persons,nobody-at-all"}, 2, `--audience "nobody-at-all"`},
		"an audience of the built-in one": {[]string{"--audience", "us-exporters", "--list", vendor}, 2, "did you mean us-persons?"},
	} {
		t.Run(name, func(t *testing.T) {
			a := run(t, deployment, append([]string{"check", "-f", "-"}, c.args...)...)
			assert.Equal(t, c.code, a.code, a.stdout+a.stderr)
			assert.Contains(t, a.stdout+a.stderr, c.says)
			if name == "broken policy" {
				assert.NotContains(t, a.stderr, "no VendorPolicy is given")
			}
		})
	}
	assert.Contains(t, run(t, "", "schedule", "--list", "builtin,"+vendor).stdout, "acme")
	assert.Equal(t, 2, run(t, "", "explain", "acme/x", "--audience", "eu-people").code)
}

// TestLinesAreThoseOfEditors: YAML ends lines with characters that editors, grep and code
// hosts don't count.
func TestLinesAreThoseOfEditors(t *testing.T) {
	for name, separator := range map[string]string{"next line": "\u0085", "line separator": "\u2028", "paragraph separator": "\u2029", "carriage return": "\r"} {
		t.Run(name, func(t *testing.T) {
			commented := strings.Replace(deployment, "# the scanner", "# the"+separator+"# scanner"+separator+"# again", 1)
			result, a := runJSON(t, commented, "check", "-f", "-")
			require.Len(t, result.Findings, 1, a.stderr)
			assert.Equal(t, [2]int{12, 18}, [2]int{result.Findings[0].Line, result.Findings[0].Column})

			a = run(t, commented+"a: b\n a: c\n", "check", "-f", "-")
			assert.Regexp(t, `<stdin>:1[34]: `, a.stderr)
		})
	}
}

func TestAMergeOfAListIsNamedWithItsLine(t *testing.T) {
	a := run(t, "a: &list\n- {name: A}\nb:\n- c: d\n- <<: *list\n", "check", "-f", "-")
	assert.Contains(t, a.stderr, "<stdin>:5: << takes a map, or a list of maps in its place")
}

func TestUTF16IsRead(t *testing.T) {
	second := strings.Replace(deployment, "name: av", "name: second", 1)
	for name, order := range map[string]unicode.Endianness{"little-endian": unicode.LittleEndian, "big-endian": unicode.BigEndian} {
		for mark, policy := range map[string]unicode.BOMPolicy{"marked": unicode.UseBOM, "unmarked": unicode.IgnoreBOM} {
			t.Run(name+" "+mark, func(t *testing.T) {
				text, err := unicode.UTF16(order, policy).NewEncoder().String(deployment + "---\n" + second)
				require.NoError(t, err)
				result, a := runJSON(t, text, "check", "-f", "-")
				require.Len(t, result.Findings, 2, a.stderr)
				assert.Equal(t, 12, result.Findings[0].Line)
			})
		}
	}
}

// TestAnyTextIsWrittenSoThatItIsReadAgain: names of images and containers may hold every
// character that JSON can.
func TestAnyTextIsWrittenSoThatItIsReadAgain(t *testing.T) {
	for _, odd := range []string{"\x01", "\x1b", "\x7f", "\u0080", "\u0085", "\u009f", "\u00a0", "\u200b", "\u202e", "\u2028", "\ufeff", "\ufffe", "\uffff", "\U000e0001"} {
		t.Run(strconv.QuoteToASCII(odd), func(t *testing.T) {
			pod, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "p"}, "spec": map[string]any{
				"containers": []map[string]any{{"name": "c" + odd, "image": "busybox" + odd}, {"name": "d", "image": "kaspersky/scanengine_httpd:2.1"}},
			}})
			require.NoError(t, err)
			file := write(t, "pod.json", string(pod))
			for format, decode := range map[string]func([]byte, any) error{
				"json": json.Unmarshal, "yaml": func(text []byte, into any) error { return yaml.Unmarshal(text, into) },
			} {
				a := run(t, "", "check", "-f", file, "-o", format)
				require.Equal(t, 1, a.code, a.stderr)
				var result output.Result
				require.NoError(t, decode([]byte(a.stdout), &result), format)
				require.NotEmpty(t, result.Findings)
				assert.Equal(t, "busybox"+odd, result.Findings[0].Image)
				assert.NotContains(t, a.stdout, odd)
			}
			for _, format := range []string{"table", "wide", "sarif", "junit", "html"} {
				assert.NotContains(t, run(t, "", "check", "-f", file, "-o", format).stdout, odd, format)
			}
			junit := run(t, "", "check", "-f", file, "-o", "junit").stdout
			assert.NotContains(t, junit, "\ufffd", "XML has no way to write it")
		})
	}
}

func TestListShow(t *testing.T) {
	shown := run(t, "", "list", "show")
	assert.Equal(t, 0, shown.code, shown.stderr)
	list := write(t, "list.yaml", shown.stdout)
	assert.Equal(t, 0, run(t, "", "list", "validate", list).code)
	again, _ := runJSON(t, deployment, "check", "-f", "-", "--list", list, "--as-of", "2024-10-01")
	builtin, _ := runJSON(t, deployment, "check", "-f", "-", "--as-of", "2024-10-01")
	assert.Equal(t, builtin.RuleSet, again.RuleSet)
	assert.Equal(t, "restrictedvendor.embargo.dev/kaspersky\n", run(t, "", "list", "show", "kaspersky", "-o", "name").stdout)
	assert.Equal(t, 2, run(t, "", "list", "show", "kasperski").code)
}
