package lifecycle_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"embargo.dev/test/controlplane"
	"embargo.dev/test/installation"
)

// rollouts are a custom resource that may hold pod templates anywhere in its spec.
const rollouts = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: rollouts.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Rollout, plural: rollouts, singular: rollout, listKind: RolloutList}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, x-kubernetes-preserve-unknown-fields: true}}}}
`

// rollout is a custom resource with an image.
func rollout(name, image string) string {
	return fmt.Sprintf("apiVersion: example.com/v1\nkind: Rollout\nmetadata: {name: %s, namespace: default}\nspec: {template: {spec: {containers: [{name: c, image: %q}]}}}\n", name, image)
}

// pipe runs kubectl with a manifest, and returns how long that took.
func (s *stage) pipe(t *testing.T, manifest string, args ...string) (string, time.Duration, error) {
	t.Helper()
	cmd := s.plane.Kubectl(t.Context(), args...)
	cmd.Stdin = strings.NewReader(manifest)
	begin := time.Now()
	output, err := cmd.CombinedOutput()
	return string(output), time.Since(begin), err
}

// TestControllersNeverWaitForEmbargo takes the controller away while custom resources
// fail closed: people can't change those, but DaemonSets and StatefulSets get their
// ControllerRevisions and Pods, in every namespace, at once.
func TestControllersNeverWaitForEmbargo(t *testing.T) {
	s := setUpOn(t, controlplane.Options{ControllerManager: true}, newObstacle(t), "--templates-failure-policy=Fail", "--trusted-controllers=operator")
	s.applyFile(t, rollouts)
	s.kubectl(t, "create", "clusterrole", "operators", "--verb=*", "--resource=rollouts.example.com")
	s.kubectl(t, "create", "clusterrolebinding", "operators", "--clusterrole=operators", "--user=operator")
	require.Eventually(t, func() bool {
		output, _, err := s.pipe(t, rollout("probe", restricted), "create", "--dry-run=server", "-f", "-")
		return err != nil && strings.Contains(output, `"templates.embargo.dev" denied the request`)
	}, patience, 200*time.Millisecond)

	for _, o := range outages {
		if o.answers {
			continue
		}
		t.Run(o.name, func(t *testing.T) {
			id := strings.ReplaceAll(o.name, " ", "-")
			o.begin(t, s)
			s.setsStart(t, id)
			output, took, err := s.pipe(t, rollout("people-"+id, "nginx"), "create", "-f", "-")
			require.Error(t, err, output)
			assert.Contains(t, output, `failed calling webhook "templates.embargo.dev"`)
			t.Logf("a person's custom resource was refused after %s", took.Round(time.Millisecond))
			output, took, err = s.pipe(t, rollout("operator-"+id, "nginx"), "--as=operator", "create", "--validate=false", "-f", "-")
			require.NoError(t, err, output)
			assert.Less(t, took, clean, "it waits for a second at most")
			t.Logf("a trusted controller's took %s", took.Round(time.Millisecond))
			o.end(t, s)
			s.comesBack(t)
		})
	}
}

// setsStart makes a DaemonSet and a StatefulSet, and waits for what controllers make of
// them.
func (s *stage) setsStart(t *testing.T, id string) {
	t.Helper()
	const set = `
apiVersion: apps/v1
kind: %s
metadata: {name: %s, namespace: kube-system}
spec: {serviceName: s, selector: {matchLabels: {app: %[2]s}}, template: {metadata: {labels: {app: %[2]s}}, spec: {containers: [{name: c, image: "nginx:1.27"}]}}}
`
	s.applyFile(t, fmt.Sprintf("apiVersion: v1\nkind: Node\nmetadata: {name: node-%s}\n", id))
	daemons := strings.Replace(fmt.Sprintf(set, "DaemonSet", "daemons-"+id), "serviceName: s, ", "", 1)
	begin := time.Now()
	s.applyFile(t, daemons+"---"+fmt.Sprintf(set, "StatefulSet", "states-"+id))
	for _, name := range []string{"daemons-" + id, "states-" + id} {
		poll(t, patience, func() bool {
			return s.kubectl(t, "-n", "kube-system", "get", "pods", "-l", "app="+name, "-o", "name") != ""
		})
	}
	took := time.Since(begin)
	t.Logf("DaemonSet and StatefulSet had revisions and Pods after %s", took.Round(time.Millisecond))
	assert.Less(t, took, 4*clean, "no worker waits five seconds for each revision")
	s.kubectl(t, "-n", "kube-system", "delete", "daemonset/daemons-"+id, "statefulset/states-"+id, "node/node-"+id)
}

// TestCustomResourcesWaitWherePacketsVanish measures what the documentation says: people's
// wait five seconds, and are admitted.
func TestCustomResourcesWaitWherePacketsVanish(t *testing.T) {
	s := setUpOn(t, controlplane.Options{ControllerManager: true}, newObstacle(t))
	s.applyFile(t, rollouts)
	require.Eventually(t, func() bool {
		output, _, err := s.pipe(t, rollout("probe", restricted), "create", "--dry-run=server", "-f", "-")
		return err != nil && strings.Contains(output, `"templates.embargo.dev" denied the request`)
	}, patience, 200*time.Millisecond)
	s.obstacle.set(nowhere)
	output, took, err := s.pipe(t, rollout("clean", "nginx"), "create", "-f", "-")
	require.NoError(t, err, output)
	assert.InDelta(t, 5, took.Seconds(), 3)
	t.Logf("a clean custom resource took %s", took.Round(time.Millisecond))
}

// user returns kubectl's flag for a user who may create, relabel and delete namespaces,
// and isn't exempt from anything.
func (s *stage) user(t *testing.T, name string) string {
	t.Helper()
	s.kubectl(t, "create", "clusterrole", name, "--verb=get,list,watch,create,patch,update,delete", "--resource=namespaces")
	s.kubectl(t, "create", "clusterrolebinding", name, "--clusterrole="+name, "--user="+name)
	config, err := s.plane.UserConfig(name)
	require.NoError(t, err)
	file := clientcmdapi.NewConfig()
	file.Clusters["c"] = &clientcmdapi.Cluster{Server: config.Host, CertificateAuthorityData: config.CAData}
	file.AuthInfos["u"] = &clientcmdapi.AuthInfo{ClientCertificateData: config.CertData, ClientKeyData: config.KeyData}
	file.Contexts["x"] = &clientcmdapi.Context{Cluster: "c", AuthInfo: "u"}
	file.CurrentContext = "x"
	path := t.TempDir() + "/kubeconfig"
	require.NoError(t, clientcmd.WriteToFile(*file, path))
	return "--kubeconfig=" + path
}

// waiverOf is a waiver with a selector of namespaces.
func waiverOf(name, selector string) string {
	return fmt.Sprintf(`
apiVersion: embargo.dev/v1alpha1
kind: VendorWaiver
metadata: {name: %s}
spec: {vendor: kaspersky, namespaceSelector: %s, images: [kaspersky/other], expires: "2099-01-01T00:00:00Z", reason: a test, approvedBy: the tests}
`, name, selector)
}

// TestNamespacesCanBeCreatedInAnOutage has a waiver that only excludes, and one that
// selects by the name of Embargo's namespace, which somebody deletes by mistake.
func TestNamespacesCanBeCreatedInAnOutage(t *testing.T) {
	s := setUp(t)
	user := s.user(t, "creator")
	s.applyFile(t, waiverOf("excluding", "{matchExpressions: [{key: env, operator: DoesNotExist}]}")+"---"+
		waiverOf("labelled", "{matchLabels: {env: test}}")+"---"+
		waiverOf("named", "{matchLabels: {kubernetes.io/metadata.name: embargo-system}}"))
	const labelled = "apiVersion: v1\nkind: Namespace\nmetadata: {name: %s, labels: {env: %s}}\n"
	require.Eventually(t, func() bool {
		excluded, errExcluded := s.try(t, user, "create", "namespace", "probe", "--dry-run=server")
		entered, _, errEntered := s.pipe(t, fmt.Sprintf(labelled, "probe", "test"), user, "create", "--dry-run=server", "-f", "-")
		return errExcluded != nil && strings.Contains(excluded, `"namespace-exclusions.embargo.dev" denied the request`) &&
			errEntered != nil && strings.Contains(entered, `"namespaces.embargo.dev" denied the request`)
	}, patience, 200*time.Millisecond)
	require.NoError(t, s.replica.Kill())

	s.kubectl(t, user, "create", "namespace", "new")
	output, _, err := s.pipe(t, fmt.Sprintf(labelled, "waived", "test"), user, "create", "-f", "-")
	require.Error(t, err, output)
	assert.Contains(t, output, `failed calling webhook "namespaces.embargo.dev"`, "what enters another waiver waits")
	output, _, err = s.pipe(t, fmt.Sprintf(labelled, "waived", "test"), "create", "-f", "-")
	require.NoError(t, err, "who is exempt from all needs nobody's answer: %s", output)
	s.kubectl(t, user, "label", "namespace", "new", "other=label")

	// Deleting Embargo's namespace is an outage, and it can be created again.
	s.kubectl(t, user, "delete", "namespace", "embargo-system")
	s.kubectl(t, user, "create", "namespace", "embargo-system")
	require.NoError(t, installation.Prepare(t.Context(), s.plane, root))
	s.start(t)
	s.comesBack(t)
}
