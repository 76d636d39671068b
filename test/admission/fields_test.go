package admission_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const restricted = "kaspersky/scanengine_httpd:2.1"

// kinds are manifests with %s for a pod spec.
var kinds = map[string]string{
	"Pod":                   "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: %s",
	"PodTemplate":           "apiVersion: v1\nkind: PodTemplate\nmetadata: {name: x}\ntemplate: {metadata: {labels: {a: b}}, spec: %s}",
	"ReplicationController": "apiVersion: v1\nkind: ReplicationController\nmetadata: {name: x}\nspec: {selector: {a: b}, template: {metadata: {labels: {a: b}}, spec: %s}}",
	"ReplicaSet":            "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: x}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: %s}}",
	"Deployment":            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: %s}}",
	"StatefulSet":           "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: x}\nspec: {serviceName: x, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: %s}}",
	"DaemonSet":             "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: x}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: %s}}",
	"Job":                   "apiVersion: batch/v1\nkind: Job\nmetadata: {name: x}\nspec: {template: {metadata: {labels: {a: b}}, spec: %s}}",
	"CronJob":               "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: x}\nspec: {schedule: '0 0 1 1 *', jobTemplate: {spec: {template: {metadata: {labels: {a: b}}, spec: %s}}}}",
	"ControllerRevision":    "apiVersion: apps/v1\nkind: ControllerRevision\nmetadata: {name: x}\nrevision: 1\ndata: {spec: {template: {spec: %s}}}",
}

// podSpecs have an image, %s, in each place that a new object can have one.
var podSpecs = map[string]string{
	"container":     "{restartPolicy: %[2]s, containers: [{name: c, image: %[1]q}]}",
	"initContainer": "{restartPolicy: %[2]s, initContainers: [{name: c, image: %[1]q}], containers: [{name: w, image: nginx}]}",
	"sidecar":       "{restartPolicy: %[2]s, initContainers: [{name: c, image: %[1]q, restartPolicy: Always}], containers: [{name: w, image: nginx}]}",
	"image volume":  "{restartPolicy: %[2]s, containers: [{name: w, image: nginx}], volumes: [{name: v, image: {reference: %[1]q}}]}",
}

func podSpec(place, kind, image string) string {
	restart := "Always"
	if strings.HasSuffix(kind, "Job") {
		restart = "Never"
	}
	return fmt.Sprintf(podSpecs[place], image, restart)
}

func TestEveryFieldOfEveryKindIsRefused(t *testing.T) {
	ns := namespace(t)
	for kind, manifest := range kinds {
		for place := range podSpecs {
			t.Run(kind+"/"+place, func(t *testing.T) {
				if place == "image volume" {
					stage.Needs(t, 35)
				}
				output, err := kubectlWith(t, fmt.Sprintf(manifest, podSpec(place, kind, restricted)), "-n", ns, "create", "-f", "-")
				require.Error(t, err, output)
				assert.Contains(t, output, "embargo.dev\" denied the request")
				assert.Contains(t, output, `Kaspersky image "`+restricted+`": refused by cluster policy: updates, resale and integration are prohibited (since 2024-09-29, 89 FR 52434)`)
				output, err = kubectlWith(t, fmt.Sprintf(manifest, podSpec(place, kind, "nginx:1.27")), "-n", ns, "create", "--dry-run=server", "-f", "-")
				require.NoError(t, err, output)
				assert.NotContains(t, output, "Warning")
			})
		}
	}
}

func TestEverySpellingIsRefused(t *testing.T) {
	ns := namespace(t)
	for _, image := range []string{
		"kaspersky/scanengine_httpd", "kaspersky/scanengine_httpd:2.1", "docker.io/kaspersky/scanengine_icapd:1", "index.docker.io/kaspersky/scanengine_httpd",
		"registry-1.docker.io/kaspersky/scanengine_httpd", "registry.hub.docker.com/kaspersky/scanengine_httpd", "docker.io:443/kaspersky/scanengine_httpd",
		"DOCKER.IO/kaspersky/scanengine_httpd:2.1", "Index.Docker.io/kaspersky/scanengine_httpd", "kaspersky/scanengine_httpd:2.1@sha256:" + strings.Repeat("a", 64),
		"repo.kcs.kaspersky.com/images/scanner:v2", "repo.kcs.kaspersky.com:8443/images/scanner:v2", "REPO.KCS.KASPERSKY.COM/a/b/c",
		"mirror.gcr.io/kaspersky/scanengine_httpd", "docker.m.daocloud.io/kaspersky/scanengine_httpd", "m.daocloud.io/docker.io/kaspersky/scanengine_httpd",
		"m.daocloud.io/repo.kcs.kaspersky.com/images/scanner",
	} {
		output, err := kubectl(t, "-n", ns, "run", "x", "--image="+image)
		require.Error(t, err, image)
		assert.Contains(t, output, "refused by cluster policy", image)
	}
	for _, image := range []string{"nginx", "ghcr.io/kasperskylab/kaspresso", "docker.io.evil.example/kasperskyx/a", "quay.io/kubescape/node-agent", "kumahq/kuma-cp"} {
		output, err := kubectl(t, "-n", ns, "run", "x", "--dry-run=server", "--image="+image)
		require.NoError(t, err, image)
		assert.NotContains(t, output, "Warning", image)
	}
	for image, what := range map[string]string{"ghcr.io/kaspersky/agent": "looks like Kaspersky's", "ghcr.io/Acme/x": "can't be read", "Acme/x": "can't be read"} {
		pod := fmt.Sprintf(kinds["Pod"], podSpec("container", "Pod", image)) // kubectl run checks names itself
		output, err := kubectlWith(t, pod, "-n", ns, "create", "--dry-run=server", "-f", "-")
		require.NoError(t, err, image)
		assert.Contains(t, output, what, image)
	}
}

func TestEphemeralContainersAreRefused(t *testing.T) {
	ns := namespace(t)
	must(t, "-n", ns, "run", "web", "--image=nginx")
	output, err := kubectl(t, "-n", ns, "debug", "web", "--image="+restricted, "--container=dbg")
	require.Error(t, err, output)
	assert.Contains(t, output, `container "dbg"`)
	must(t, "-n", ns, "debug", "web", "--image=busybox", "--container=dbg2")
}

func TestPatchesAndServerSideApplyAreRefused(t *testing.T) {
	ns := namespace(t)
	must(t, "-n", ns, "create", "deployment", "web", "--image=nginx")
	for _, patch := range [][]string{
		{"--type=json", `-p=[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"` + restricted + `"}]`},
		{"--type=merge", `-p={"spec":{"template":{"spec":{"containers":[{"name":"nginx","image":"` + restricted + `"}]}}}}`},
		{"--type=strategic", `-p={"spec":{"template":{"spec":{"containers":[{"name":"nginx","image":"` + restricted + `"}]}}}}`},
	} {
		output, err := kubectl(t, append([]string{"-n", ns, "patch", "deployment", "web"}, patch...)...)
		require.Error(t, err, output)
		assert.Contains(t, output, "refused by cluster policy")
	}
	manifest := fmt.Sprintf(kinds["Deployment"], podSpec("container", "Deployment", restricted))
	output, err := kubectlWith(t, manifest, "-n", ns, "apply", "--server-side", "-f", "-")
	require.Error(t, err, output)
	assert.Contains(t, output, "refused by cluster policy")
	pod := strings.Replace(fmt.Sprintf(kinds["Pod"], podSpec("container", "Pod", restricted)), "name: x", "generateName: x-", 1)
	output, err = kubectlWith(t, pod, "-n", ns, "create", "-f", "-")
	require.Error(t, err, output)
	assert.Contains(t, output, "refused by cluster policy")
}
