package workload_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"embargo.dev/policies/workload"
)

func TestImagesOutsideOfLists(t *testing.T) {
	for _, one := range []struct {
		kind, text string
		want       []string
	}{
		{"Workflow.argoproj.io", `{spec: {templates: [{name: a, container: {image: x}}, {name: b, script: {image: z, source: s}}, {containerSet: {containers: [{name: m, image: w}]}}]}}`,
			[]string{"spec.templates[0].container.image =x", "spec.templates[1].script.image =z", "spec.templates[2].containerSet.containers[0].image m=w"}},
		{"Workflow.argoproj.io", `{spec: {templateDefaults: {container: {name: d, image: x}}, templates: [{steps: [[{inline: {script: {image: z}}}]]}, {dag: {tasks: [{inline: {container: {image: w}}}]}}]}}`,
			[]string{"spec.templateDefaults.container.image d=x", "spec.templates[0].steps[0][0].inline.script.image =z", "spec.templates[1].dag.tasks[0].inline.container.image =w"}},
		{"CronWorkflow.argoproj.io", `{spec: {workflowSpec: {templates: [{container: {image: x}}]}}}`, []string{"spec.workflowSpec.templates[0].container.image =x"}},
		{"Pipeline.tekton.dev", `{spec: {tasks: [{taskSpec: {stepTemplate: {image: x}, steps: [{script: s}]}}]}}`, []string{"spec.tasks[0].taskSpec.stepTemplate.image =x"}},
		{"StepAction.tekton.dev", `{spec: {image: x}}`, []string{"spec.image =x"}},
		{"VirtualMachine.kubevirt.io", `{spec: {template: {spec: {volumes: [{name: root, containerDisk: {image: x}}, {name: v, emptyDisk: {}}], domain: {firmware: {kernelBoot: {container: {image: z}}}}}}}}`,
			[]string{"spec.template.spec.domain.firmware.kernelBoot.container.image =z", "spec.template.spec.volumes[0].containerDisk.image root=x"}},
		{"Prometheus.monitoring.coreos.com", `{spec: {image: x, thanos: {image: z}, containers: [{name: c, image: w}]}}`,
			[]string{"spec.containers[0].image c=w", "spec.image =x", "spec.thanos.image =z"}},
		{"InferenceService.serving.kserve.io", `{spec: {predictor: {minReplicas: 1, sklearn: {name: k, image: x}}}}`, []string{"spec.predictor.sklearn.image k=x"}},
		{"RedisFailover.databases.spotahome.com", `{spec: {redis: {extraContainers: [{name: e, image: x}]}}}`, []string{"spec.redis.extraContainers[0].image e=x"}},
		// inside of another object
		{"Sensor.argoproj.io", `{spec: {triggers: [{template: {argoWorkflow: {source: {resource: {apiVersion: argoproj.io/v1alpha1, kind: Workflow, spec: {templates: [{container: {image: x}}]}}}}}}]}}`,
			[]string{"spec.triggers[0].template.argoWorkflow.source.resource.spec.templates[0].container.image =x"}},
		{"ManifestWork.example.com", `{spec: {manifests: [{apiVersion: tekton.dev/v1beta1, kind: StepAction, spec: {image: x}}, {kind: StepAction, spec: {image: z}}]}}`, []string{"spec.manifests[0].spec.image =x"}},
		// what isn't set, or is something else
		{"StepAction.tekton.dev", `{spec: {image: ""}}`, nil},
		{"StepAction.tekton.dev", `{spec: {image: " "}}`, []string{"spec.image = "}},
		{"StepAction.tekton.dev", `{spec: {image: {repository: x, tag: z}}}`, nil},
		{"StepAction.tekton.dev", `{spec: {image: 1.5}}`, []string{"spec.image !there is a number where text should be"}},
		{"StepAction.tekton.dev", `{status: {image: x}, metadata: {image: x}, image: x}`, nil},
		{"StepAction.example.com", `{spec: {image: x, container: {image: x}}}`, nil},
		{"Workflow.argoproj.io", `{spec: {containers: {image: x}, container: [{image: x}]}}`, nil},
	} {
		assert.Equal(t, one.want, lines(read(t, kind(one.kind), one.text).Images), "%s %s", one.kind, one.text)
	}
}

// TestEveryListedFieldIsRead makes an object with each of the listed fields: it is read
// once, and the kind is covered whatever its schema says.
func TestEveryListedFieldIsRead(t *testing.T) {
	seen := map[schema.GroupKind]bool{}
	for _, f := range workload.ListedFields() {
		for _, name := range f.Kinds {
			gk := schema.GroupKind{Group: f.Group, Kind: name}
			assert.True(t, workload.Searched(gk) && !workload.Builtin(gk) && !seen[gk], "%s", gk)
			seen[gk] = true
			where, said := workload.Schemas{}.Images(gk, schemaOf(t, "{type: object, properties: {spec: {type: object}}}"))
			assert.Equal(t, f.Paths[0], where, "%s", gk)
			assert.True(t, said)
			for _, path := range f.Paths {
				steps := strings.NewReplacer("**", "deep.deeper[]", "[*]", ".any").Replace(path)
				object, field := objectAt(steps, "x")
				images := workload.FromMap(gk, object).Images
				require.Len(t, images, 1, "%s %s", gk, path)
				assert.Equal(t, field, images[0].Field, "%s", gk)
			}
		}
	}
}

// objectAt makes an object with a value at a path, and returns the JSON path of that.
func objectAt(path string, value any) (object map[string]any, field string) {
	keys := strings.Split(path, ".")
	for _, key := range slices.Backward(keys) {
		name, isList := strings.CutSuffix(key, "[]")
		if isList {
			value = []any{value}
		}
		value = map[string]any{name: value}
	}
	field = strings.ReplaceAll(path, "[]", "[0]")
	return value.(map[string]any), strings.Replace(field, ".cmdProbe/inputs.", `["cmdProbe/inputs"].`, 1)
}

func TestListedFieldsAreInOrder(t *testing.T) {
	listed := workload.ListedFields()
	assert.True(t, slices.IsSortedFunc(listed, func(a, b workload.Fields) int {
		return strings.Compare(a.Group+"/"+a.Kinds[0], b.Group+"/"+b.Kinds[0])
	}))
	for _, f := range listed {
		assert.Regexp(t, `^[\w.-]+/[\w.-]+$`, f.Source, f.Group)
		assert.Len(t, slices.Compact(slices.Sorted(slices.Values(f.Paths))), len(f.Paths), f.Group)
	}
}

const listedPage = "../../docs/reference/custom-resources.md"

// TestThePageHasEveryListedField compares the page with the list. UPDATE_PAGES=1 writes it.
func TestThePageHasEveryListedField(t *testing.T) {
	page, err := os.ReadFile(listedPage)
	require.NoError(t, err)
	const heading = "| group | kinds | fields | defined in |\n|---|---|---|---|\n"
	before, _, found := strings.Cut(string(page), heading)
	require.True(t, found)
	var want strings.Builder
	want.WriteString(before + heading)
	for _, f := range workload.ListedFields() {
		fmt.Fprintf(&want, "| `%s` | %s | `%s` | %s |\n", f.Group, strings.Join(f.Kinds, ", "), strings.Join(f.Paths, "`, `"), f.Source)
	}
	if os.Getenv("UPDATE_PAGES") != "" {
		require.NoError(t, os.WriteFile(listedPage, []byte(want.String()), 0o644))
		return
	}
	assert.Equal(t, want.String(), string(page), "stale: write it with\n\tUPDATE_PAGES=1 go test ./policies/workload -run ThePage")
}

func TestOtherImages(t *testing.T) {
	for text, want := range map[string][]string{
		`{spec: {image: x, list: [{image: z}, {image: 5}], containers: [{image: w}]}}`: {"spec.image =x", "spec.list[0].image =z"},
		`{image: x, status: {image: z}, metadata: {image: w}}`:                         {"image =x"},
		`{spec: {image: {reference: x, image: z}}}`:                                    {"spec.image.image =z"},
		`{spec: {containers: [{image: w}]}}`:                                           nil,
	} {
		var object map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(text), &object))
		gk := kind("Thing.example.com")
		assert.Equal(t, want, lines(workload.OtherImages(gk, object, workload.FromMap(gk, object).Images)), text)
		for _, none := range []string{"Pod", "ConfigMap", "ClusterPolicy.kyverno.io"} {
			assert.Empty(t, workload.OtherImages(kind(none), object, nil), none)
		}
	}
	deep := map[string]any{"image": "x"}
	for range 100 {
		deep = map[string]any{"a": deep}
	}
	assert.Empty(t, workload.OtherImages(kind("Thing.example.com"), deep, nil))
}
