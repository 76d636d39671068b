package chart_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"embargo.dev/test/chart"
	"embargo.dev/test/helm"
)

const updateCommand = "UPDATE_CHART=1 go test ./test/chart -run TestTheDefaults"

// TestTheDefaults compares what Helm makes of the defaults with a file that people have
// looked at. The CRDs are config/crd's, and left out.
func TestTheDefaults(t *testing.T) {
	golden := filepath.Join("testdata", "defaults.golden.yaml")
	for _, major := range helm.Majors {
		got, err := template(t, major, "", "--set=crds.enabled=false")
		require.NoError(t, err)
		if os.Getenv("UPDATE_CHART") != "" {
			require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err, "run "+updateCommand)
		assert.Equal(t, string(want), got, "Helm %d; where that is meant: %s", major, updateCommand)
	}
}

// TestChartAndKustomizeAgree compares them object by object, without what only one of
// them has: the namespace, which Helm makes itself, Helm's labels, and the ways in which
// each rolls Pods when the config file changes.
func TestChartAndKustomizeAgree(t *testing.T) {
	text, err := template(t, 4, "", "--set=crds.keep=false")
	require.NoError(t, err)
	fromChart, err := chart.Parse(text)
	require.NoError(t, err)
	output, err := stage.plane.Kubectl(t.Context(), "kustomize", filepath.Join(stage.root, "config", "default")).Output()
	require.NoError(t, err)
	fromConfig, err := chart.Parse(string(output))
	require.NoError(t, err)
	delete(fromConfig, "Namespace/embargo-system")
	assert.Equal(t, normalised(t, fromChart), normalised(t, fromConfig))
}

func normalised(t *testing.T, objects chart.Objects) map[string]any {
	t.Helper()
	all := map[string]any{}
	for _, object := range objects {
		object = object.DeepCopy()
		for _, metadata := range [][]string{{"metadata"}, {"spec", "template", "metadata"}} {
			for _, label := range []string{"helm.sh/chart", "app.kubernetes.io/managed-by"} {
				unstructured.RemoveNestedField(object.Object, append(metadata, "labels", label)...)
			}
			unstructured.RemoveNestedField(object.Object, append(metadata, "annotations", "checksum/config")...)
			if annotations, _, err := unstructured.NestedMap(object.Object, append(metadata, "annotations")...); err == nil && len(annotations) == 0 {
				unstructured.RemoveNestedField(object.Object, append(metadata, "annotations")...)
			}
		}
		if name, hash, ok := cutLast(object.GetName(), "-"); ok && name == "embargo-config" && hash != "" {
			object.SetName(name)
		}
		if object.GetName() == "embargo-config" {
			require.NoError(t, unstructured.SetNestedField(object.Object, config(t, object), "data"))
		}
		if object.GetName() == "embargo-list" {
			unstructured.RemoveNestedField(object.Object, "data") // null, or an empty map
		}
		content, err := yaml.Marshal(object.Object)
		require.NoError(t, err)
		all[object.GetKind()+"/"+object.GetName()] = hashless(string(content))
	}
	return all
}

func cutLast(text, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(text, sep)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+1:], true
}

// hashless takes away what kustomize puts behind the name of the config file's ConfigMap.
func hashless(text string) string {
	before, after, ok := strings.Cut(text, "name: embargo-config-")
	if !ok {
		return text
	}
	_, after, _ = strings.Cut(after, "\n")
	return before + "name: embargo-config\n" + after
}

// config returns the config file of a ConfigMap as it is read.
func config(t *testing.T, configMap *unstructured.Unstructured) map[string]any {
	t.Helper()
	text, found, err := unstructured.NestedString(configMap.Object, "data", "config.yaml")
	require.NoError(t, err)
	require.True(t, found)
	settings := map[string]any{}
	require.NoError(t, yaml.UnmarshalStrict([]byte(text), &settings))
	return settings
}
