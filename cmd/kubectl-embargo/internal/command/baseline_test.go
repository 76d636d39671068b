package command_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tree writes files below a folder of the test, and returns the folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	return root
}

func scanner(tag string) string {
	return fmt.Sprintf(`---
apiVersion: apps/v1
kind: Deployment
metadata: {name: scanner}
spec:
  template:
    spec:
      containers:
        - {name: scanner, image: "kaspersky/scanengine_httpd:%s"}
`, tag)
}

// usesOf returns the use of each finding by the path of its file below a folder.
func usesOf(t *testing.T, root string, args ...string) (uses map[string][]string, a answer) {
	t.Helper()
	result, a := runJSON(t, "", append([]string{"check", "-R", "--as-of", "2024-10-01"}, args...)...)
	uses = map[string][]string{}
	for _, f := range result.Findings {
		below, err := filepath.Rel(root, f.File)
		require.NoError(t, err)
		uses[filepath.ToSlash(below)] = append(uses[filepath.ToSlash(below)], string(f.Use))
	}
	return uses, a
}

func TestOldComparesFilesAtTheSamePath(t *testing.T) {
	const ambiguous = "the strictest use of each image counts"
	for name, c := range map[string]struct {
		old, new  map[string]string
		want      map[string][]string
		ambiguous bool
	}{
		"only one overlay changed": {
			old:  map[string]string{"dev/d.yaml": scanner("2.0"), "prod/d.yaml": scanner("2.1")},
			new:  map[string]string{"dev/d.yaml": scanner("2.1"), "prod/d.yaml": scanner("2.1")},
			want: map[string][]string{"dev/d.yaml": {"Update"}, "prod/d.yaml": {"Continue"}},
		},
		"nothing changed": {
			old:  map[string]string{"dev/d.yaml": scanner("2.1"), "prod/d.yaml": scanner("2.0")},
			new:  map[string]string{"dev/d.yaml": scanner("2.1"), "prod/d.yaml": scanner("2.0")},
			want: map[string][]string{"dev/d.yaml": {"Continue"}, "prod/d.yaml": {"Continue"}},
		},
		"another overlay is new": {
			old:  map[string]string{"dev/d.yaml": scanner("2.1")},
			new:  map[string]string{"dev/d.yaml": scanner("2.1"), "prod/d.yaml": scanner("2.1")},
			want: map[string][]string{"dev/d.yaml": {"Continue"}, "prod/d.yaml": {"Introduce"}},
		},
		"a file moved": {
			old:  map[string]string{"d.yaml": scanner("2.1")},
			new:  map[string]string{"apps/d.yaml": scanner("2.1")},
			want: map[string][]string{"apps/d.yaml": {"Continue"}},
		},
		"a file moved and was copied": {
			old:       map[string]string{"d.yaml": scanner("2.1")},
			new:       map[string]string{"a/d.yaml": scanner("2.1"), "b/d.yaml": scanner("2.1")},
			want:      map[string][]string{"a/d.yaml": {"Introduce"}, "b/d.yaml": {"Introduce"}},
			ambiguous: true,
		},
		"several files moved": {
			old:       map[string]string{"dev.yaml": scanner("2.0"), "prod.yaml": scanner("2.1")},
			new:       map[string]string{"a/dev.yaml": scanner("2.0"), "a/prod.yaml": scanner("2.1")},
			want:      map[string][]string{"a/dev.yaml": {"Update"}, "a/prod.yaml": {"Update"}},
			ambiguous: true,
		},
		"a name twice in an unchanged file": {
			old:  map[string]string{"d.yaml": scanner("2.0") + scanner("2.1")},
			new:  map[string]string{"d.yaml": scanner("2.0") + scanner("2.1")},
			want: map[string][]string{"d.yaml": {"Continue", "Continue"}},
		},
		"a name twice with the same images": {
			old:  map[string]string{"d.yaml": scanner("2.0") + scanner("2.0")},
			new:  map[string]string{"d.yaml": scanner("2.1") + scanner("2.0")},
			want: map[string][]string{"d.yaml": {"Update", "Continue"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			old, current := tree(t, c.old), tree(t, c.new)
			uses, a := usesOf(t, current, "-f", current, "--old", old)
			assert.Equal(t, c.want, uses)
			if c.ambiguous {
				assert.Contains(t, a.stderr, ambiguous)
			} else {
				assert.NotContains(t, a.stderr, ambiguous)
			}
		})
	}
}

// TestOldComparesAFileByItsPathBelowTheWorkingFolder: pipelines name changed files.
func TestOldComparesAFileByItsPathBelowTheWorkingFolder(t *testing.T) {
	old := tree(t, map[string]string{"dev/d.yaml": scanner("2.0"), "prod/d.yaml": scanner("2.1")})
	current := tree(t, map[string]string{"dev/d.yaml": scanner("2.0"), "prod/d.yaml": scanner("2.2")})
	t.Chdir(current)
	for _, file := range []string{"dev/d.yaml", "./dev/d.yaml", filepath.Join(current, "dev", "d.yaml")} {
		result, a := runJSON(t, "", "check", file, "-R", "--old", old, "--as-of", "2024-10-01")
		require.Len(t, result.Findings, 1, a.stderr)
		assert.EqualValues(t, "Continue", result.Findings[0].Use, file)
	}
}

func TestNamespacesThatContradictEachOtherAreUnknown(t *testing.T) {
	namespace := func(env string) string {
		return "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: mail, labels: {env: " + env + "}}\n"
	}
	pod := "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: mail}\nspec: {containers: [{name: c, image: \"kaspersky/scanengine_httpd:2.1\"}]}\n"
	policy := write(t, "policy.yaml", `
apiVersion: embargo.dev/v1alpha1
kind: VendorPolicy
metadata: {name: live}
spec: {audiences: [us-persons], namespaceSelector: {matchLabels: {env: live}}}
---
apiVersion: embargo.dev/v1alpha1
kind: VendorWaiver
metadata: {name: tests}
spec: {vendor: kaspersky, namespaceSelector: {matchLabels: {env: test}}, images: [kaspersky/**], expires: "2099-01-01T00:00:00Z", reason: a test, approvedBy: the tests}
`)
	twice := tree(t, map[string]string{"live/all.yaml": namespace("live") + pod, "test/all.yaml": namespace("test") + pod})
	result, a := runJSON(t, "", "check", "-f", twice, "-R", "--policy", policy)
	require.Len(t, result.Findings, 2)
	for _, f := range result.Findings {
		assert.EqualValues(t, "Deny", f.Action)
		assert.Empty(t, f.Waiver)
	}
	assert.Regexp(t, `namespace "mail" has different labels at \S*live/all.yaml:4 and \S*test/all.yaml:4`, a.stderr)

	agreeing := tree(t, map[string]string{"a.yaml": namespace("test") + pod, "b.yaml": namespace("test")})
	result, a = runJSON(t, "", "check", "-f", agreeing, "-R", "--policy", policy)
	assert.Empty(t, result.Findings, a.stderr)
}

// TestATreeComparedWithItselfContinues has what large repositories have: several objects of
// one name in a file and in different files, lists, arrays, links, templates and copies.
func TestATreeComparedWithItselfContinues(t *testing.T) {
	list := `{"apiVersion":"v1","kind":"List","items":[` + restrictedPod + `]}`
	root := tree(t, map[string]string{
		"a/two.yaml": scanner("2.1") + scanner("2.2"), "b/two.yaml": scanner("2.2") + scanner("2.1"), "c/one.yaml": scanner("2.1"),
		"list.json": list, "deep/list.json": list, "array.json": "[" + restrictedPod + "," + restrictedPod + "]",
		"chart/Chart.yaml":       "apiVersion: v2\nname: chart\nversion: 0.1.0\n",
		"chart/templates/a.yaml": "{{ if .Values.on }}\na: b\n---\n{{ end }}\n---\n{{ x }}\n",
		"chart/templates/b.yaml": scanner("2.3"),
		"broken.yaml":            "a: [\n",
	})
	require.NoError(t, os.Symlink(filepath.Join(root, "c", "one.yaml"), filepath.Join(root, "link.yaml")))
	uses, a := usesOf(t, root, "-f", root, "--old", root)
	assert.Equal(t, 2, a.code)
	assert.Len(t, uses, 8)
	for file, found := range uses {
		assert.NotContains(t, found, "Introduce", file)
		assert.NotContains(t, found, "Update", file)
	}
	assert.Equal(t, 2, strings.Count(a.stderr, "error: "), "the chart and the broken file are named once each:\n%s", a.stderr)

	_, a = usesOf(t, root, "-f", root, "--old", root, "--exclude", "chart", "--exclude", "broken.yaml")
	assert.Equal(t, 0, a.code, a.stderr)
	assert.NotContains(t, a.stderr, "error: ", "what is left out of the input is left out of what it is compared with")
}

// TestOldFindsFoldersOfARepositoryInACopyOfIt: the path below a folder that is checked is
// not the one below --old, but that below the working folder is.
func TestOldFindsFoldersOfARepositoryInACopyOfIt(t *testing.T) {
	files := map[string]string{"dev/d.yaml": scanner("2.1"), "prod/deep/d.yaml": scanner("2.2"), "other/d.yaml": scanner("2.3")}
	old := tree(t, files)
	t.Chdir(tree(t, files))
	uses, a := usesOf(t, "", "-f", "dev", "-f", "prod", "--old", old)
	assert.Equal(t, map[string][]string{"dev/d.yaml": {"Continue"}, "prod/deep/d.yaml": {"Continue"}}, uses, a.stderr)
	assert.NotContains(t, a.stderr, "the strictest use of each image counts")
}

func TestAnObjectWithoutANameIsNewEachTime(t *testing.T) {
	root := tree(t, map[string]string{"d.yaml": strings.Replace(scanner("2.1"), "{name: scanner}", "{generateName: scanner-}", 1)})
	uses, a := usesOf(t, root, "-f", root, "--old", root)
	assert.Equal(t, map[string][]string{"d.yaml": {"Introduce"}}, uses)
	assert.Contains(t, a.stderr, "an object without a name (metadata.generateName) is created anew each time")
}
