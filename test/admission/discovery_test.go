package admission_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/test/modules"
)

// realProjects are public projects whose resources embed pod templates in their own
// ways, with an object of each, in which %s is an image.
var realProjects = []struct {
	module, crd, resource string
	manifest, field       string
}{
	{
		"github.com/argoproj/argo-rollouts@v1.8.3", "manifests/crds/rollout-crd.yaml", "rollouts.argoproj.io",
		"apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: x}\nspec: {selector: {matchLabels: {a: b}}, strategy: {}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: %q, resources: {}}]}}}",
		"spec.template.spec.containers[0].image",
	},
	{
		"sigs.k8s.io/jobset@v0.8.0", "config/components/crd/bases/jobset.x-k8s.io_jobsets.yaml", "jobsets.jobset.x-k8s.io",
		"apiVersion: jobset.x-k8s.io/v1alpha2\nkind: JobSet\nmetadata: {name: x}\nspec: {replicatedJobs: [{name: w, template: {spec: {template: {spec: {restartPolicy: Never, initContainers: [{name: c, image: %q}], containers: [{name: w, image: nginx}]}}}}}]}",
		"spec.replicatedJobs[0].template.spec.template.spec.initContainers[0].image",
	},
	{
		"knative.dev/serving@v0.51.0", "config/core/300-resources/service.yaml", "services.serving.knative.dev",
		"apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: x}\nspec: {template: {spec: {containers: [{image: %q}]}}}",
		"spec.template.spec.containers[0].image",
	},
	{
		"github.com/tektoncd/pipeline@v1.0.0", "config/300-crds/300-taskrun.yaml", "taskruns.tekton.dev",
		"apiVersion: tekton.dev/v1\nkind: TaskRun\nmetadata: {name: x}\nspec: {taskSpec: {steps: [{name: c, image: %q}]}}",
		"spec.taskSpec.steps[0].image",
	},
	{
		"github.com/prometheus-operator/prometheus-operator@v0.85.0", "example/prometheus-operator-crd/monitoring.coreos.com_alertmanagers.yaml", "alertmanagers.monitoring.coreos.com",
		"apiVersion: monitoring.coreos.com/v1\nkind: Alertmanager\nmetadata: {name: x}\nspec: {image: %q, containers: [{name: c, image: nginx}]}",
		"spec.image",
	},
	{
		"github.com/kubeflow/training-operator@v1.8.1", "manifests/base/crds/kubeflow.org_pytorchjobs.yaml", "pytorchjobs.kubeflow.org",
		"apiVersion: kubeflow.org/v1\nkind: PyTorchJob\nmetadata: {name: x}\nspec: {pytorchReplicaSpecs: {Worker: {template: {spec: {containers: [{name: pytorch, image: %q}]}}}}}",
		"spec.pytorchReplicaSpecs.Worker.template.spec.containers[0].image",
	},
	{
		"github.com/kedacore/keda/v2@v2.21.0", "config/crd/bases/keda.sh_scaledjobs.yaml", "scaledjobs.keda.sh",
		"apiVersion: keda.sh/v1alpha1\nkind: ScaledJob\nmetadata: {name: x}\nspec: {triggers: [{type: cpu, metadata: {}}], jobTargetRef: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: %q}]}}}}",
		"spec.jobTargetRef.template.spec.containers[0].image",
	},
	{
		"github.com/argoproj/argo-workflows/v3@v3.6.2", "manifests/base/crds/minimal/argoproj.io_workflows.yaml", "workflows.argoproj.io",
		"apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: x}\nspec: {templates: [{name: t, container: {image: %q}, sidecars: [{name: c, image: nginx}]}]}",
		"spec.templates[0].container.image",
	},
}

// TestResourcesOfRealProjectsAreCovered adds the resources of real projects while
// Embargo runs, and takes them away again.
func TestResourcesOfRealProjectsAreCovered(t *testing.T) {
	ns := namespace(t)
	for _, p := range realProjects {
		t.Run(p.resource, func(t *testing.T) {
			dir, err := modules.Download(t.Context(), p.module)
			require.NoError(t, err)
			define(t, filepath.Join(dir, p.crd), p.resource)
			awaitCovered(t, p.resource, true)
			output, err := kubectlWith(t, fmt.Sprintf(p.manifest, restricted), "-n", ns, "create", "-f", "-")
			require.Error(t, err, output)
			assert.Contains(t, output, `"templates.embargo.dev" denied the request`)
			assert.Contains(t, output, "refused by cluster policy")
			output, err = kubectlWith(t, fmt.Sprintf(p.manifest, "registry.k8s.io/pause:3.10"), "-n", ns, "create", "-f", "-")
			require.NoError(t, err, output)
			assert.NotContains(t, output, "embargo")
			output, err = kubectl(t, "-n", ns, "patch", p.resource, "x", "--type=json", fmt.Sprintf(`-p=[{"op":"replace","path":%q,"value":%q}]`, pointer(p.field), restricted))
			require.Error(t, err, output)
			assert.Contains(t, output, "refused by cluster policy")
			must(t, "delete", "crd", p.resource)
			awaitCovered(t, p.resource, false)
		})
	}
}

// define adds a custom resource and waits until it is served.
func define(t *testing.T, file, resource string) {
	t.Helper()
	must(t, "apply", "--server-side", "-f", file)
	t.Cleanup(func() { must(t, "delete", "crd", resource, "--ignore-not-found") })
	require.Eventually(t, func() bool { // kubectl wait itself can't bear an empty status
		output, err := kubectl(t, "get", "crd", resource, "-o", `jsonpath={.status.conditions[?(@.type=="Established")].status}`)
		return err == nil && output == "True"
	}, 30*time.Second, 100*time.Millisecond)
}

// awaitCovered waits until admission covers a resource, or no longer does, and the
// policies' status says so.
func awaitCovered(t *testing.T, resource string, covered bool) {
	t.Helper()
	plural, _, _ := strings.Cut(resource, ".")
	require.Eventually(t, func() bool {
		rules := must(t, "get", configuration, "-o", `jsonpath={.webhooks[?(@.name=="templates.embargo.dev")].rules[*].resources}`)
		status := must(t, "get", "vendorpolicy", "default", "-o", "jsonpath={range .status.resources[*]}{@}{\"\\n\"}{end}")
		return strings.Contains(rules, `"`+plural+`"`) == covered && slices.Contains(strings.Fields(status), resource) == covered
	}, 20*time.Second, 100*time.Millisecond, "%s: covered %t", resource, covered)
}

// pointer turns a JSON path into a JSON pointer.
func pointer(path string) string {
	return "/" + strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(path)
}

// widget defines a resource of two versions with a schema for the spec of both.
func widget(spec string) string {
	return fmt.Sprintf(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}
  scope: Namespaced
  versions:
    - {name: v1, served: true, storage: true, schema: &s {openAPIV3Schema: {type: object, properties: {spec: %[1]s, status: {type: object, x-kubernetes-preserve-unknown-fields: true}}}}}
    - {name: v1beta1, served: true, storage: false, schema: *s}
`, spec)
}

// TestListedKindsAreCoveredAndPoliciesAreNot defines a kind in which only a listed field
// names an image, and one of a policy engine whose schema leaves everything open.
func TestListedKindsAreCoveredAndPoliciesAreNot(t *testing.T) {
	ns := namespace(t)
	renamed := func(group, kind, spec string) string {
		plural := strings.ToLower(kind) + "s"
		return strings.NewReplacer("example.com", group, "widgets", plural, "WidgetList", kind+"List", "Widget", kind, "widget", strings.ToLower(kind)).Replace(widget(spec))
	}
	define(t, write(t, "openfaas.yaml", renamed("openfaas.com", "Function", "{type: object, properties: {image: {type: string}}}")), "functions.openfaas.com")
	define(t, write(t, "policy.yaml", renamed("policies.kubewarden.io", "AdmissionPolicy", "{type: object, x-kubernetes-preserve-unknown-fields: true}")), "admissionpolicys.policies.kubewarden.io")
	awaitCovered(t, "functions.openfaas.com", true)
	awaitCovered(t, "admissionpolicys.policies.kubewarden.io", false)
	output, err := kubectlWith(t, fmt.Sprintf("apiVersion: openfaas.com/v1beta1\nkind: Function\nmetadata: {name: f}\nspec: {image: %q}\n", restricted), "-n", ns, "create", "-f", "-")
	require.Error(t, err, output)
	assert.Contains(t, output, "spec.image: ")
	assert.Contains(t, output, "refused by cluster policy")
	output, err = kubectlWith(t, fmt.Sprintf("apiVersion: policies.kubewarden.io/v1\nkind: AdmissionPolicy\nmetadata: {name: p}\nspec: {containers: [{image: %q}]}\n", restricted), "-n", ns, "create", "-f", "-")
	require.NoError(t, err, output)
	assert.NotContains(t, output, "Warning")
}

// TestASchemaThatChangesIsFollowed changes the schema of a resource while Embargo runs.
func TestASchemaThatChangesIsFollowed(t *testing.T) {
	ns := namespace(t)
	file := write(t, "widget.yaml", widget("{type: object, properties: {size: {type: integer}}}"))
	define(t, file, "widgets.example.com")
	object := func(version, spec string) string {
		return fmt.Sprintf("apiVersion: example.com/%s\nkind: Widget\nmetadata: {generateName: w-}\nspec: %s\n", version, spec)
	}
	awaitCovered(t, "widgets.example.com", false)

	apply(t, widget("{type: object, x-kubernetes-preserve-unknown-fields: true}"))
	awaitCovered(t, "widgets.example.com", true)
	for _, version := range []string{"v1", "v1beta1"} {
		output, err := kubectlWith(t, object(version, fmt.Sprintf("{a: [{containers: [{image: %q}]}]}", restricted)), "-n", ns, "create", "-f", "-")
		require.Error(t, err, output)
		assert.Contains(t, output, "refused by cluster policy", version)
	}
	for _, odd := range []string{
		"{containers: null}", "{containers: {image: x}}", "{containers: [1, null, [], {image: null}]}", "{containers: 7, volumes: {}}",
		"{steps: [{image: nginx}], volumes: [{image: 3}, 4]}", "[1]", "{containers: []}", "'{{x}}'",
	} {
		output, err := kubectlWith(t, object("v1", odd), "-n", ns, "create", "--validate=false", "-f", "-")
		if err != nil {
			assert.Contains(t, output, "is invalid", "only the API server may refuse %s: %s", odd, output)
		}
		restrictedToo := fmt.Sprintf("{odd: %s, good: {containers: [{image: %q}]}}", odd, restricted)
		output, err = kubectlWith(t, object("v1", restrictedToo), "-n", ns, "create", "--validate=false", "-f", "-")
		require.Error(t, err, output)
		assert.Contains(t, output, "refused by cluster policy", odd)
	}

	apply(t, widget("{type: object, properties: {containers: {type: array, items: {type: object, properties: {image: {type: string}}}}}}"))
	awaitCovered(t, "widgets.example.com", true)
	must(t, "delete", "crd", "widgets.example.com")
	awaitCovered(t, "widgets.example.com", false)
}

// TestAnOwnerOfADiscoveredKindCarriesItsImages makes a child of a custom resource that
// carries the image, first without the right to read it, then with it by aggregation.
func TestAnOwnerOfADiscoveredKindCarriesItsImages(t *testing.T) {
	ns := namespace(t)
	apply(t, widget("{type: object, x-kubernetes-preserve-unknown-fields: true}"))
	t.Cleanup(func() { must(t, "delete", "crd", "widgets.example.com", "--ignore-not-found") })
	must(t, "wait", "--for=condition=Established", "--timeout=30s", "crd/widgets.example.com")
	awaitCovered(t, "widgets.example.com", true)
	restrict(t, vendor("owned", allowed))
	t.Cleanup(func() { must(t, "delete", "restrictedvendor", "owned", "--ignore-not-found") })
	const image = "registry.owned.example/agent:1"
	output, err := kubectlWith(t, fmt.Sprintf("apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {containers: [{image: %q}]}\n", image), "-n", ns, "create", "-f", "-")
	require.NoError(t, err, output)
	restrict(t, vendor("owned", prohibited))
	uid := must(t, "-n", ns, "get", "widgets.example.com", "w", "-o", "jsonpath={.metadata.uid}")
	child := func() (string, error) {
		return kubectlWith(t, fmt.Sprintf("apiVersion: v1\nkind: Pod\nmetadata: {generateName: c-, ownerReferences: [{apiVersion: example.com/v1, kind: Widget, name: w, uid: %s, controller: true}]}\nspec: {containers: [{name: c, image: %q}]}\n", uid, image), "-n", ns, "create", "-f", "-")
	}
	output, err = child()
	require.Error(t, err, "the owner can't be read: %s", output)

	apply(t, "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: widget-view, labels: {rbac.authorization.k8s.io/aggregate-to-view: \"true\"}}\nrules: [{apiGroups: [example.com], resources: [widgets], verbs: [get, list, watch]}]\n")
	t.Cleanup(func() { must(t, "delete", "clusterrole", "widget-view") })
	require.Eventually(t, func() bool {
		output, err = child()
		return err == nil
	}, 15*time.Second, 250*time.Millisecond, "operators extend what Embargo may read by aggregation")
	assert.Contains(t, output, "Warning", "what goes on is warned about")
}
