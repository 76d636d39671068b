package chart_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"embargo.dev/test/chart"
	"embargo.dev/test/helm"
)

// The image that a release publishes, by digest.
const (
	publishedImage  = "ghcr.io/owner/repository"
	publishedDigest = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
)

// packaged makes the chart that a release publishes, with the command by which the release
// workflow edits it, and returns the path of the package.
func packaged(t *testing.T) string {
	t.Helper()
	workflow, err := os.ReadFile(filepath.Join(stage.root, ".github", "workflows", "release.yaml"))
	require.NoError(t, err)
	edit := regexp.MustCompile(`(?m)^ *sed -i .* charts/embargo/values\.yaml$`).Find(workflow)
	require.NotNil(t, edit, "release.yaml rewrites the values of the chart")
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(dir, "charts", "embargo"), os.DirFS(filepath.Join(stage.root, "charts", "embargo"))))
	runScript(t, dir, string(edit), "NAME="+publishedImage, "DIGEST="+publishedDigest)
	_, err = stage.helms[4].Run(t.Context(), stage.dir, "", "package", filepath.Join(dir, "charts", "embargo"), "--destination", dir)
	require.NoError(t, err)
	packages, err := filepath.Glob(filepath.Join(dir, "embargo-*.tgz"))
	require.NoError(t, err)
	require.Len(t, packages, 1)
	return packages[0]
}

// examples are the objects in the YAML blocks of the installation guide that have a kind.
func examples(t *testing.T) chart.Objects {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(stage.root, "docs", "how-to", "install.md"))
	require.NoError(t, err)
	found := chart.Objects{}
	for _, block := range strings.Split(string(page), "```yaml\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		for document := range strings.SplitSeq(block, "\n---\n") {
			o := &unstructured.Unstructured{}
			require.NoError(t, yaml.UnmarshalStrict([]byte(document), &o.Object), document)
			if o.GetKind() != "" {
				found[o.GetKind()] = o
			}
		}
	}
	return found
}

// TestTheExamplesInstallWhatIsPublished renders the published chart with the values of the
// examples, and checks that they take it from where the release workflow puts it.
func TestTheExamplesInstallWhatIsPublished(t *testing.T) {
	path, found := packaged(t), examples(t)
	version := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "embargo-"), ".tgz")
	assert.Equal(t, "oci://ghcr.io/OWNER/charts/embargo", found.At("OCIRepository", "spec", "url"))
	assert.Equal(t, version, found.At("OCIRepository", "spec", "ref", "tag"))
	assert.Equal(t, "cosign", found.At("OCIRepository", "spec", "verify", "provider"))
	assert.Equal(t, found["OCIRepository"].GetName(), found.At("HelmRelease", "spec", "chartRef", "name"))
	assert.Equal(t, found["OCIRepository"].GetNamespace(), found["HelmRelease"].GetNamespace())
	assert.Equal(t, "ghcr.io/OWNER/charts", found.At("Application", "spec", "source", "repoURL"))
	assert.Equal(t, "embargo", found.At("Application", "spec", "source", "chart"))
	assert.Equal(t, version, found.At("Application", "spec", "source", "targetRevision"))
	identity, err := regexp.Compile(found.At("OCIRepository", "spec", "verify", "matchOIDCIdentity").([]any)[0].(map[string]any)["subject"].(string))
	require.NoError(t, err)
	assert.Regexp(t, identity, "https://github.com/OWNER/REPOSITORY/.github/workflows/release.yaml@refs/tags/v"+version)

	for name, values := range map[string]any{
		"Flux": found.At("HelmRelease", "spec", "values"), "Argo CD": found.At("Application", "spec", "source", "helm", "valuesObject"), "none": map[string]any{},
	} {
		content, err := yaml.Marshal(values)
		require.NoError(t, err)
		file := filepath.Join(t.TempDir(), "values.yaml")
		require.NoError(t, os.WriteFile(file, content, 0o600))
		for _, major := range helm.Majors {
			t.Run(name+", Helm "+strconv.Itoa(major), func(t *testing.T) {
				text, err := stage.helms[major].Run(t.Context(), stage.dir, "", "template", "embargo", path, "--namespace=embargo-system", "--kube-version=1.37.2", "--values="+file)
				require.NoError(t, err)
				objects, err := chart.Parse(text)
				require.NoError(t, err)
				assert.Equal(t, publishedImage+"@"+publishedDigest, objects.Container("image"))
			})
		}
	}
}

// TestAnOverlayNamesThePublishedImage builds the overlay of the installation guide.
func TestAnOverlayNamesThePublishedImage(t *testing.T) {
	overlay := examples(t)["Kustomization"]
	require.NotNil(t, overlay)
	root := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(root, "config"), os.DirFS(filepath.Join(stage.root, "config"))))
	dir := filepath.Join(root, "overlays", "production")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	content, err := yaml.Marshal(overlay.Object)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "kustomization.yaml"), content, 0o600))
	output, err := stage.plane.Kubectl(t.Context(), "kustomize", dir).CombinedOutput()
	require.NoError(t, err, string(output))
	objects, err := chart.Parse(string(output))
	require.NoError(t, err)
	assert.Regexp(t, `^ghcr\.io/OWNER/REPOSITORY@sha256:0{64}$`, objects.Container("image"))
}

// TestTheComponentNarrowsWhatIsRead compares the component with the chart.
func TestTheComponentNarrowsWhatIsRead(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(root, "config"), os.DirFS(filepath.Join(stage.root, "config"))))
	dir := filepath.Join(root, "overlay")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte("resources: [../config/default]\ncomponents: [../config/components/read-workloads]\n"), 0o600))
	output, err := stage.plane.Kubectl(t.Context(), "kustomize", dir).CombinedOutput()
	require.NoError(t, err, string(output))
	built, err := chart.Parse(string(output))
	require.NoError(t, err)
	text, err := template(t, 4, "rbac: {read: workloads}")
	require.NoError(t, err)
	rendered, err := chart.Parse(text)
	require.NoError(t, err)
	for _, o := range []chart.Objects{built, rendered} {
		assert.NotContains(t, o, "ClusterRoleBinding/embargo-view")
	}
	for key, field := range map[string]string{"ClusterRole/embargo-audit": "aggregationRule", "ClusterRole/embargo-audit-workloads": "rules", "ClusterRoleBinding/embargo-audit": "roleRef"} {
		require.NotNil(t, built.At(key, field), key)
		assert.Equal(t, rendered.At(key, field), built.At(key, field), key)
	}
}

// runScript runs a line of a workflow in a folder.
func runScript(t *testing.T, dir, line string, env ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", line)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, string(output))
}
