package workload_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"embargo.dev/policies/workload"
)

func kind(text string) schema.GroupKind { return schema.ParseGroupKind(text) }

// read reads an object in YAML both ways and insists that they agree.
func read(t testing.TB, gk schema.GroupKind, text string) workload.Object {
	t.Helper()
	raw, err := yaml.YAMLToJSON([]byte(text))
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, yaml.Unmarshal(raw, &fields))
	decoded, err := workload.Decode(gk, raw)
	require.NoError(t, err)
	assert.Equal(t, workload.FromMap(gk, fields), decoded)
	return decoded
}

// lines writes images one a line: FIELD NAME=VALUE, or !WHY where it can't be read.
func lines(images []workload.Image) []string {
	var list []string
	for _, i := range images {
		line := fmt.Sprintf("%s %s=%s", i.Field, i.Name, i.Value)
		if i.Unreadable != "" {
			line = i.Field + " !" + i.Unreadable
		}
		list = append(list, line)
	}
	return list
}

const podSpec = `{
  containers: [{name: a, image: i1}],
  initContainers: [{name: b, image: i2, restartPolicy: Always}],
  ephemeralContainers: [{name: c, image: i3}],
  volumes: [{name: v, emptyDir: {}}, {name: w, image: {reference: i4}}]}`

func TestEveryFieldOfEveryKnownKind(t *testing.T) {
	for gk, place := range map[string]string{
		"Pod":                     "spec",
		"PodTemplate":             "template.spec",
		"ReplicationController":   "spec.template.spec",
		"ReplicaSet.apps":         "spec.template.spec",
		"Deployment.apps":         "spec.template.spec",
		"StatefulSet.apps":        "spec.template.spec",
		"DaemonSet.apps":          "spec.template.spec",
		"Deployment.extensions":   "spec.template.spec",
		"Job.batch":               "spec.template.spec",
		"CronJob.batch":           "spec.jobTemplate.spec.template.spec",
		"ControllerRevision.apps": "data.spec.template.spec",
	} {
		text := podSpec
		for _, key := range reversed(strings.Split(place, ".")) {
			text = "{" + key + ": " + text + "}"
		}
		got := read(t, kind(gk), text)
		assert.Equal(t, []string{
			place + ".containers[0].image a=i1", place + ".initContainers[0].image b=i2", place + ".ephemeralContainers[0].image c=i3",
			place + ".volumes[1].image.reference w=i4",
		}, lines(got.Images), gk)
		for _, img := range got.Images {
			assert.Equal(t, place, img.Template, gk)
		}
		assert.True(t, workload.Builtin(kind(gk)), gk)
	}
}

func reversed(list []string) []string {
	var r []string
	for _, s := range list {
		r = append([]string{s}, r...)
	}
	return r
}

func TestOddShapesAreVisible(t *testing.T) {
	for text, want := range map[string]string{
		`{spec: {containers: {a: {image: x}}}}`:          "spec.containers !there is a map where a list should be",
		`{spec: {containers: [5]}}`:                      "spec.containers[0] !there is a number where a map should be",
		`{spec: {containers: [{name: a, image: 1.5}]}}`:  "spec.containers[0].image !there is a number where text should be",
		`{spec: {containers: [{name: a, image: [x]}]}}`:  "spec.containers[0].image !there is a list where text should be",
		`{spec: {containers: [{name: a, image: true}]}}`: "spec.containers[0].image !there is a boolean where text should be",
		`{spec: [x]}`: "spec !there is a list where a map should be",
		`{spec: {volumes: [{name: v, image: x}]}}`:                                                      "spec.volumes[0].image !there is text where a map should be",
		`{spec: {containers: [{name: a}]}}`:                                                             "spec.containers[0].image a=",
		`{spec: {containers: [{name: a, image: null}]}}`:                                                "spec.containers[0].image a=",
		`{spec: {volumes: [{name: v, image: {}}]}}`:                                                     "spec.volumes[0].image.reference v=",
		`{spec: {containers: [{name: 7, image: x}]}}`:                                                   "spec.containers[0].image =x",
		`{metadata: 5, spec: {containers: [{image: x}]}}`:                                               "spec.containers[0].image =x",
		`{metadata: {annotations: {kubernetes.io/config.mirror: 5}}, spec: {containers: [{image: x}]}}`: "spec.containers[0].image =x",
	} {
		assert.Equal(t, []string{want}, lines(read(t, kind("Pod"), text).Images), text)
	}
	for _, text := range []string{`{}`, `{spec: null}`, `{spec: {containers: null}}`, `{spec: {containers: [null]}}`, `{status: {containers: [{image: x}]}}`} {
		assert.Empty(t, read(t, kind("Pod"), text).Images, text)
	}
}

func TestByStructure(t *testing.T) {
	for text, want := range map[string][]string{
		// Argo Rollout, Knative Service
		`{spec: {template: {spec: {containers: [{name: a, image: x}], volumes: [{name: v, image: {reference: yy}}]}}}}`: {"spec.template.spec.containers[0].image a=x", "spec.template.spec.volumes[0].image.reference v=yy"},
		// Tekton Task and Pipeline
		`{spec: {steps: [{name: a, image: x}, {name: b, ref: {name: z}}], sidecars: [{image: yy}]}}`: {"spec.steps[0].image a=x", "spec.sidecars[0].image =yy"},
		`{spec: {tasks: [{taskSpec: {steps: [{image: "$(params.image)"}]}}]}}`:                       {"spec.tasks[0].taskSpec.steps[0].image =$(params.image)"},
		// Prometheus
		`{spec: {image: q, containers: [{name: a, image: x}]}}`: {"spec.containers[0].image a=x"},
		// at the top of the object
		`{containers: [{name: a, image: x}]}`: {"containers[0].image a=x"},
		// only what embeds templates counts
		`{status: {template: {spec: {containers: [{image: x}]}}}}`:  nil,
		`{metadata: {containers: [{image: x}]}}`:                    nil,
		`{spec: {status: {containers: [{image: x}]}}}`:              {"spec.status.containers[0].image =x"},
		`{spec: {containers: {a: {image: x}}}}`:                     nil,
		`{spec: {containers: [x, 5, {name: a}]}}`:                   nil,
		`{spec: {volumes: [{name: v, image: {reference: yy}}]}}`:    nil,
		`{spec: {containers: [{name: a, image: 5}]}}`:               nil,
		`{spec: {containers: [{image: {repository: x, tag: y}}]}}`:  nil,
		`{spec: {containers: [{image: x}, {image: 5}]}}`:            {"spec.containers[0].image =x", "spec.containers[1].image !there is a number where text should be"},
		`{spec: {"a.b/c": {containers: [{name: a, image: x}]}}}`:    {`spec["a.b/c"].containers[0].image a=x`},
		`{spec: {list: [{containers: [{name: a, image: x}]}, {}]}}`: {"spec.list[0].containers[0].image a=x"},
	} {
		assert.Equal(t, want, lines(read(t, kind("Thing.example.com"), text).Images), text)
	}
}

func TestNeverCarriers(t *testing.T) {
	for _, gk := range []string{
		"ConfigMap", "Secret", "Event", "CustomResourceDefinition.apiextensions.k8s.io", "VendorReport.embargo.dev", "Report.openreports.io", "PolicyReport.wgpolicyk8s.io",
		// policies, which describe images
		"ClusterPolicy.kyverno.io", "Policy.kyverno.io", "ValidatingPolicy.policies.kyverno.io", "NamespacedMutatingPolicy.policies.kyverno.io", "ImageValidatingPolicy.policies.kyverno.io",
		"ConstraintTemplate.templates.gatekeeper.sh", "K8sAllowedRepos.constraints.gatekeeper.sh", "Assign.mutations.gatekeeper.sh", "ModifySet.mutations.gatekeeper.sh", "ExpansionTemplate.expansion.gatekeeper.sh",
		"ClusterAdmissionPolicy.policies.kubewarden.io", "AdmissionPolicyGroup.policies.kubewarden.io",
		"ValidatingAdmissionPolicy.admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding.admissionregistration.k8s.io",
	} {
		assert.Empty(t, read(t, kind(gk), `{spec: {containers: [{image: x}]}, data: {containers: [{image: x}]}}`).Images, gk)
		assert.False(t, workload.Searched(kind(gk)), gk)
	}
}

// TestKindsBesidePolicies are not left out: what counts is the kind and not its group.
func TestKindsBesidePolicies(t *testing.T) {
	assert.Equal(t, []string{"spec.image =x"}, lines(read(t, kind("PolicyServer.policies.kubewarden.io"), `{spec: {image: x}}`).Images))
	for _, gk := range []string{"Policy.example.com", "Assign.example.com", "Deployment.kyverno.io", "ClusterPolicy.nvidia.com"} {
		assert.Len(t, read(t, kind(gk), `{spec: {containers: [{image: x}]}}`).Images, 1, gk)
	}
}

func TestObjectsOfATemplate(t *testing.T) {
	const text = `{objects: [{apiVersion: kyverno.io/v1, kind: ClusterPolicy, spec: {containers: [{image: a}]}}, {apiVersion: apps/v1, kind: Deployment, spec: {containers: [{image: b}]}}, {apiVersion: argoproj.io/v1alpha1, kind: Workflow, spec: {templates: [{script: {image: c}}]}}, 5]}`
	assert.Equal(t, []string{"objects[1].spec.containers[0].image =b", "objects[2].spec.templates[0].script.image =c"},
		lines(read(t, kind("Template.template.openshift.io"), text).Images))
	assert.Len(t, read(t, kind("Thing.example.com"), text).Images, 3, "elsewhere anybody could hide an image below a policy's kind")
}

func TestWhatLiesTooDeepIsVisible(t *testing.T) {
	text := strings.Repeat("{a: ", 80) + "{containers: [{image: x}]}" + strings.Repeat("}", 80)
	got := lines(read(t, kind("Thing.example.com"), text).Images)
	require.Len(t, got, 1)
	assert.Contains(t, got[0], "!it lies more than 64 levels deep")
}

func TestMetadata(t *testing.T) {
	got := read(t, kind("Pod"), `
metadata:
  name: p
  generateName: p-
  namespace: ns
  uid: u
  deletionTimestamp: "2024-01-01T00:00:00Z"
  annotations: {kubernetes.io/config.mirror: abc}
  ownerReferences:
    - {apiVersion: v1, kind: ConfigMap, name: x, uid: yy}
    - {apiVersion: apps/v1, kind: ReplicaSet, name: rs, uid: z, controller: true}
spec: {nodeName: node-1}`)
	assert.Equal(t, "p", got.Name)
	assert.Equal(t, "ns", got.Namespace)
	assert.Equal(t, "node-1", got.NodeName)
	assert.True(t, got.Deleting)
	assert.True(t, got.MirrorPod)
	require.NotNil(t, got.Controller)
	assert.Equal(t, "rs", got.Controller.Name)
}

func TestKeysAreComparedExactly(t *testing.T) {
	got, err := workload.Decode(kind("Pod"), []byte(`{"Spec":{"containers":[{"image":"x"}]},"spec":{"containers":[{"name":"a","Image":"y","image":"z"}]}}`))
	require.NoError(t, err)
	assert.Equal(t, []string{"spec.containers[0].image a=z"}, lines(got.Images))
}

func TestDecodeRefusesWhatIsNoObject(t *testing.T) {
	for _, raw := range []string{"{", "[]", "5", `"x"`} {
		_, err := workload.Decode(kind("Pod"), []byte(raw))
		require.Error(t, err, raw)
	}
	for _, raw := range []string{"", "null"} {
		got, err := workload.Decode(kind("Pod"), []byte(raw))
		require.NoError(t, err)
		assert.Empty(t, got)
	}
}

// odd draws JSON that is nearly an object with a pod spec.
func odd(depth int) *rapid.Generator[any] {
	keys := rapid.SampledFrom([]string{"spec", "template", "jobTemplate", "metadata", "containers", "initContainers", "ephemeralContainers", "volumes",
		"image", "Image", "reference", "name", "steps", "annotations", "ownerReferences", "controller", "nodeName", "data", "container", "script", "containerDisk", "objects", "kind", "apiVersion", "kubernetes.io/config.mirror"})
	leaf := rapid.OneOf(
		rapid.Just[any](nil), rapid.Just[any](true), rapid.Just[any](float64(5)),
		rapid.Map(rapid.SampledFrom([]string{"", "x", "nginx:1"}), func(s string) any { return s }),
	)
	if depth == 0 {
		return leaf
	}
	inner := rapid.Deferred(func() *rapid.Generator[any] { return odd(depth - 1) })
	return rapid.OneOf(
		leaf,
		rapid.Map(rapid.SliceOfN(inner, 0, 3), func(l []any) any { return l }),
		rapid.Map(rapid.MapOfN(keys, inner, 0, 4), func(m map[string]any) any { return m }),
		rapid.Map(rapid.MapOfN(keys, inner, 1, 4), func(m map[string]any) any { return m }),
	)
}

func TestBothWaysOfReadingAgree(t *testing.T) {
	kinds := rapid.SampledFrom([]string{"Pod", "PodTemplate", "Deployment.apps", "CronJob.batch", "ControllerRevision.apps", "Thing.example.com", "Workflow.argoproj.io", "VirtualMachine.kubevirt.io"})
	rapid.Check(t, func(t *rapid.T) {
		gk := kind(kinds.Draw(t, "kind"))
		object := map[string]any{"spec": odd(5).Draw(t, "spec"), "metadata": odd(3).Draw(t, "metadata"), "template": odd(3).Draw(t, "template")}
		raw, err := json.Marshal(object)
		require.NoError(t, err)
		decoded, err := workload.Decode(gk, raw)
		require.NoError(t, err)
		require.Equal(t, lines(workload.FromMap(gk, object).Images), lines(decoded.Images))
	})
}

func FuzzDecode(f *testing.F) {
	f.Add("Pod", `{"spec":{"containers":[{"image":"x"}]}}`)
	f.Add("Thing.example.com", `{"spec":{"steps":[{"image":5}]}}`)
	f.Add("Workflow.argoproj.io", `{"spec":{"templates":[{"container":{"image":"x"}},{"steps":[[{"inline":{"script":{"image":5}}}]]}]}}`)
	f.Add("Template.template.openshift.io", `{"objects":[{"apiVersion":"tekton.dev/v1","kind":"StepAction","spec":{"image":"x"}}]}`)
	f.Add("Deployment.apps", `{"spec":{"template":{"spec":{"containers":{}}}},"spec":1}`)
	f.Fuzz(func(t *testing.T, gk, raw string) {
		decoded, err := workload.Decode(kind(gk), []byte(raw))
		if err != nil {
			return
		}
		var object map[string]any
		if json.Unmarshal([]byte(raw), &object) != nil {
			return
		}
		require.Equal(t, lines(workload.FromMap(kind(gk), object).Images), lines(decoded.Images))
	})
}

func BenchmarkDecode(b *testing.B) {
	raw, err := yaml.YAMLToJSON([]byte("{metadata: {name: p, namespace: n}, spec: " + podSpec + "}"))
	require.NoError(b, err)
	for b.Loop() {
		_, _ = workload.Decode(kind("Pod"), raw)
	}
}
