package command_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/cmd/kubectl-embargo/internal/manifest"
	"embargo.dev/cmd/kubectl-embargo/internal/output"
	"embargo.dev/test/controlplane"
	"embargo.dev/test/modules"
)

// published is the version under which Kubernetes publishes a part of itself.
var published = strings.Replace(controlplane.KubernetesVersion, "v1.", "v0.", 1)

func module(t *testing.T, name string) string {
	t.Helper()
	dir, err := modules.Download(t.Context(), name)
	require.NoError(t, err)
	return dir
}

// imageLine is a line of YAML that names an image, as a reader who knows nothing of
// Kubernetes would find it, and diskImage one that names a disk of Ceph's.
var (
	imageLine = regexp.MustCompile(`(?m)^\s*(?:- )?image:\s*\S`)
	diskImage = regexp.MustCompile(`rbd:\n\s+image:`)
)

// TestPodsOfPodSecurityGiveNoFinding reads the Pods by which Kubernetes tests Pod
// Security. Every file is a Pod.
func TestPodsOfPodSecurityGiveNoFinding(t *testing.T) {
	dir := filepath.Join(module(t, "k8s.io/pod-security-admission@"+published), "test", "testdata")
	pods, images := 0, 0
	each(t, dir, func(_, text string) {
		pods++
		images += len(imageLine.FindAllString(text, -1)) - len(diskImage.FindAllString(text, -1))
	})
	r, a := runJSON(t, "", "check", "-f", dir, "-R", "--fail-on", "Audit")
	assert.Equal(t, 0, a.code, a.stderr)
	assert.Equal(t, output.Summary{Objects: pods, Images: images}, r.Summary)
	assert.Greater(t, pods, 4000)
	t.Logf("%d Pods, %d images", pods, images)
}

// TestManifestsOfKubernetesGiveNoFinding reads every manifest in the source of
// Kubernetes. What is skipped or can't be read is what the test knows to be neither.
func TestManifestsOfKubernetesGiveNoFinding(t *testing.T) {
	total := output.Summary{}
	for _, name := range []string{"k8s.io/kubernetes@" + controlplane.KubernetesVersion, "k8s.io/kubectl@" + published, "k8s.io/cli-runtime@" + published} {
		dir := module(t, name)
		r, a := runJSON(t, "", "check", "-f", dir, "-R", "--fail-on", "Audit")
		assert.Contains(t, []int{0, 2}, a.code, a.stderr)
		assert.Empty(t, r.Findings)
		objects := 0
		each(t, dir, func(path, text string) {
			n, skipped := objectsIn(t, path, text)
			objects += n
			broken := strings.Contains(a.stderr, "error: "+path+":")
			assert.Equal(t, deliberatelyBroken(path, text) && broken, broken, "%s can be read", path)
			if !broken {
				assert.Zero(t, skipped, "%s: an object was skipped", path)
			}
		})
		assert.Equal(t, objects, r.Summary.Objects)
		total.Objects += r.Summary.Objects
		total.Images += r.Summary.Images
		total.Skipped += r.Summary.Skipped
	}
	assert.Greater(t, total.Objects, 500)
	t.Logf("%d objects, %d images, %d documents that are no objects", total.Objects, total.Images, total.Skipped)
}

var (
	separator = regexp.MustCompile(`(?m)^---`)
	isObject  = regexp.MustCompile(`(?s)(?:^|\n)apiVersion: *[^\s].*\nkind: *[^\s]|(?:^|\n)kind: *[^\s].*\napiVersion: *[^\s]`)
)

// objectsIn counts the objects that the reader finds in a file, and the documents that
// it skips although they say at their margin what kind of object they are.
func objectsIn(t *testing.T, path, text string) (objects, skipped int) {
	t.Helper()
	documents := 0
	reader := &manifest.Reader{Broken: func(*manifest.Error) {}}
	reader.Read(t.Context(), []string{path}, func(d *manifest.Document) {
		found, others := d.Objects()
		for _, o := range found {
			if o.Kind().Group != "kustomize.config.k8s.io" { // what kustomize reads is no object
				objects++
			}
		}
		if others == 0 {
			documents++
		}
	})
	saying := 0
	for _, document := range separator.Split(text, -1) {
		if isObject.MatchString(document) {
			saying++
		}
	}
	return objects, max(0, saying-documents)
}

// deliberatelyBroken knows the files that no parser of YAML or JSON reads: templates,
// and those by which Kubernetes tests its own errors.
func deliberatelyBroken(path, text string) bool {
	name := filepath.Base(path)
	return strings.Contains(text, "{{") || regexp.MustCompile(`__[A-Z_]+__`).MatchString(text) || strings.Contains(name, "invalid") || name == "baz.yaml"
}

// each visits the manifests below a folder.
func each(t *testing.T, dir string, visit func(path, text string)) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path)) {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil {
			visit(path, string(text))
		}
		return err
	}))
}

// TestImpossibleImagesAreSeen reads one object of every kind in which each field has a
// made-up value: an image that no kubelet accepts is a finding, and none is passed over.
func TestImpossibleImagesAreSeen(t *testing.T) {
	dir := filepath.Join(module(t, "k8s.io/api@"+published), "testdata", "HEAD")
	r, a := runJSON(t, "", "check", "-f", dir)
	assert.Equal(t, 0, a.code, "a warning refuses nothing: %s", a.stderr)
	templates, reviews := 0, 0
	each(t, dir, func(path, text string) {
		templates += len(regexp.MustCompile(`"?ephemeralContainers"?:`).FindAllString(text, -1))
		if strings.Contains(path, ".ImageReview.") {
			reviews++
		}
	})
	// Each template has a container of each of three sorts, and a volume of each type.
	impossible := 4*templates + reviews
	assert.Equal(t, impossible, r.Summary.Images)
	assert.Equal(t, impossible, r.Summary.Unparsable)
	assert.Equal(t, impossible, r.Summary.Warn)
	assert.Positive(t, templates)
	t.Logf("%d objects, %d impossible images", r.Summary.Objects, impossible)
}
