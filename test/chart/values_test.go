package chart_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"embargo.dev/test/chart"
	"embargo.dev/test/controlplane"
	"embargo.dev/test/helm"
	"embargo.dev/test/installation"
)

// waiver is a waiver as values declare it.
const waiver = `
waivers:
  mail:
    annotations: {ticket: SEC-1}
    spec:
      vendor: kaspersky
      namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: mail}}
      images: ["docker.io/kaspersky/scanengine_httpd:2.1"]
      expires: "2030-04-01T00:00:00Z"
      reason: "The replacement is being rolled out: # soon"
      approvedBy: the security office
`

// cases are values, and what must come of them. Each rendering is given to the API server.
var cases = []struct {
	name, values string
	check        func(*testing.T, chart.Objects)
}{
	{"defaults", "", func(t *testing.T, o chart.Objects) {
		assert.EqualValues(t, 2, o.At("Deployment/embargo", "spec", "replicas"))
		assert.EqualValues(t, 0, o.At("Deployment/embargo", "spec", "strategy", "rollingUpdate", "maxUnavailable"))
		assert.Equal(t, "embargo.dev/embargo:0.1.0", o.Container("image"))
		assert.EqualValues(t, 1, o.At("PodDisruptionBudget/embargo", "spec", "maxUnavailable"))
		assert.Equal(t, true, o.Container("securityContext").(map[string]any)["readOnlyRootFilesystem"])
		assert.Equal(t, map[string]any{}, o.At("ConfigMap/embargo-list", "data"), "the list is there without entries too")
		for key := range o {
			assert.NotContains(t, key, "WebhookConfiguration", "the controller writes it")
			assert.NotContains(t, key, "Job/")
		}
	}},
	{"one replica has no disruption budget", "replicas: 1", func(t *testing.T, o chart.Objects) {
		assert.NotContains(t, o, "PodDisruptionBudget/embargo")
	}},
	{"an image by digest, with credentials", "image: {repository: registry.example.com/embargo, tag: v1, digest: 'sha256:" + strings.Repeat("a", 64) + "'}\nimagePullSecrets: [{name: registry}]", func(t *testing.T, o chart.Objects) {
		assert.Equal(t, "registry.example.com/embargo@sha256:"+strings.Repeat("a", 64), o.Container("image"))
		assert.Equal(t, []any{map[string]any{"name": "registry"}}, o.Pod("imagePullSecrets"))
	}},
	{"names of the release's own", "fullnameOverride: gatehouse", func(t *testing.T, o chart.Objects) {
		settings := config(t, o["ConfigMap/gatehouse-config"])
		assert.Equal(t, "gatehouse", settings["installation"])
		assert.Equal(t, map[string]any{"name": "gatehouse-webhook", "port": float64(443)}, settings["webhook"].(map[string]any)["service"])
		assert.Empty(t, o.At("ClusterRole/gatehouse", "rules"), "it stands for the installation, and grants nothing")
		assert.Equal(t, []any{"gatehouse"}, resourceNames(o["ClusterRole/gatehouse-controller"], "clusterroles"))
		assert.Equal(t, []any{"embargo"}, resourceNames(o["ClusterRole/gatehouse-controller"], "validatingwebhookconfigurations"), "it has one name everywhere")
		assert.Contains(t, o, "Secret/gatehouse-webhook-certificate")
		assert.Equal(t, []any{"gatehouse-webhook-certificate"}, resourceNames(o["Role/gatehouse"], "secrets"))
		assert.Equal(t, []any{"gatehouse"}, resourceNames(o["Role/gatehouse"], "leases"))
	}},
	{"cert-manager with a CA of the chart's", "certificates: {source: cert-manager}", func(t *testing.T, o chart.Objects) {
		assert.Equal(t, []any{"embargo-webhook.embargo-system.svc"}, o.At("Certificate/embargo-webhook", "spec", "dnsNames"))
		assert.Equal(t, "embargo-ca", o.At("Certificate/embargo-webhook", "spec", "issuerRef", "name"))
		assert.Equal(t, true, o.At("Certificate/embargo-ca", "spec", "isCA"))
		assert.Equal(t, "/etc/embargo/certificates", config(t, o["ConfigMap/embargo-config"])["webhook"].(map[string]any)["certDir"])
		assert.Equal(t, "embargo-webhook-tls", secretVolume(o))
		assert.Empty(t, resourceNames(o["Role/embargo"], "secrets"), "no right to any Secret")
		assert.NotContains(t, o, "Secret/embargo-webhook-certificate")
	}},
	{"cert-manager with an issuer that is there", "certificates: {source: cert-manager, certManager: {issuerRef: {name: corporate, kind: ClusterIssuer}}}", func(t *testing.T, o chart.Objects) {
		assert.Equal(t, map[string]any{"name": "corporate", "kind": "ClusterIssuer"}, o.At("Certificate/embargo-webhook", "spec", "issuerRef"))
		assert.NotContains(t, o, "Issuer/embargo-ca")
	}},
	{"a certificate that is there", "certificates: {source: secret, secretName: corporate}", func(t *testing.T, o chart.Objects) {
		assert.Equal(t, "corporate", secretVolume(o))
	}},
	{"the node's network", "hostNetwork: true\nports: {webhook: 10443, metrics: 10080, health: 10081}", func(t *testing.T, o chart.Objects) {
		assert.Equal(t, true, o.Pod("hostNetwork"))
		assert.Equal(t, "ClusterFirstWithHostNet", o.Pod("dnsPolicy"))
		assert.EqualValues(t, 1, o.At("Deployment/embargo", "spec", "strategy", "rollingUpdate", "maxUnavailable"), "a new replica may have to wait for the ports of one that goes")
		settings := config(t, o["ConfigMap/embargo-config"])
		assert.EqualValues(t, 10443, settings["webhook"].(map[string]any)["port"])
		assert.Equal(t, map[string]any{"bindAddress": ":10080"}, settings["metrics"])
		assert.Equal(t, map[string]any{"bindAddress": ":10081"}, settings["health"])
	}},
	{"what is declared", "policies: {production: {labels: {team: platform}, spec: {audiences: [us-persons], leadTimeDays: 30}}, dropped: null}\n" + waiver, func(t *testing.T, o chart.Objects) {
		data, _ := o.At("ConfigMap/embargo-list", "data").(map[string]any)
		assert.Len(t, data, 2, "what is set to null is not declared")
		assert.Contains(t, data, "vendorpolicy.production.yaml")
		assert.Contains(t, data, "vendorwaiver.mail.yaml")
		for _, object := range data {
			accept(t, object.(string))
		}
		assert.Equal(t, []any{"mail"}, resourceNames(o["ClusterRole/embargo-controller"], "vendorwaivers"), "no other waiver may be written")
		assert.Equal(t, false, config(t, o["ConfigMap/embargo-config"])["catalog"].(map[string]any)["defaultPolicy"], "who declares policies needs no default one")
	}},
	{"a default policy beside declared ones", "catalog: {defaultPolicy: create, vendors: ['*', '!zte']}\npolicies: {a: {spec: {audiences: [us-persons]}}}", func(t *testing.T, o chart.Objects) {
		assert.Equal(t, map[string]any{"defaultPolicy": true, "vendors": []any{"*", "!zte"}}, config(t, o["ConfigMap/embargo-config"])["catalog"])
	}},
	{"client certificates by a ConfigMap", "webhook: {clientCA: {configMap: webhook-clients, key: bundle.pem, subjects: [kube-apiserver]}}", func(t *testing.T, o chart.Objects) {
		webhook := config(t, o["ConfigMap/embargo-config"])["webhook"].(map[string]any)
		assert.Equal(t, "/etc/embargo/client-ca/bundle.pem", webhook["clientCA"])
		assert.Equal(t, []any{"kube-apiserver"}, webhook["clientSubjects"])
		assert.Contains(t, o.Pod("volumes"), map[string]any{"name": "client-ca", "configMap": map[string]any{"name": "webhook-clients", "items": []any{map[string]any{"key": "bundle.pem", "path": "bundle.pem"}}}})
		assert.Contains(t, o.Container("volumeMounts"), map[string]any{"name": "client-ca", "mountPath": "/etc/embargo/client-ca", "readOnly": true})
	}},
	{"client certificates by a Secret", "webhook: {clientCA: {secretName: webhook-clients}}", func(t *testing.T, o chart.Objects) {
		assert.Equal(t, "/etc/embargo/client-ca/ca.crt", config(t, o["ConfigMap/embargo-config"])["webhook"].(map[string]any)["clientCA"])
		assert.Contains(t, o.Pod("volumes"), map[string]any{"name": "client-ca", "secret": map[string]any{"secretName": "webhook-clients", "items": []any{map[string]any{"key": "ca.crt", "path": "ca.crt"}}}})
	}},
	{"settings of TLS", "webhook: {tls: {minVersion: VersionTLS13}}", func(t *testing.T, o chart.Objects) {
		assert.Equal(t, "VersionTLS13", config(t, o["ConfigMap/embargo-config"])["webhook"].(map[string]any)["tls"].(map[string]any)["minVersion"])
	}},
	{"reports for Headlamp", "reportAPI: wgpolicy", func(t *testing.T, o chart.Objects) {
		assert.Equal(t, "wgpolicy", config(t, o["ConfigMap/embargo-config"])["reportAPI"])
		assert.Empty(t, verbs(o, "reports"), "only the rights to what is chosen")
		assert.Equal(t, []any{"list", "create", "patch", "delete"}, verbs(o, "policyreports"))
	}},
	{"no reports in kinds of others", "reportAPI: none", func(t *testing.T, o chart.Objects) {
		assert.Empty(t, verbs(o, "reports"))
		assert.Empty(t, verbs(o, "policyreports"))
	}},
	{"no audit", "config: {audit: {disabled: true}}", func(t *testing.T, o chart.Objects) {
		for _, resource := range []string{"vendorreports", "nodes", "reports", "policyreports"} {
			assert.Empty(t, verbs(o, resource), resource)
		}
		assert.Equal(t, []any{"get"}, verbs(o, "podtemplates"), "admission reads owners")
	}},
	{"workload kinds only are read", "rbac: {read: workloads}", func(t *testing.T, o chart.Objects) {
		assert.NotContains(t, o, "ClusterRoleBinding/embargo-view")
		assert.Equal(t, "embargo-audit", o.At("ClusterRoleBinding/embargo-audit", "roleRef", "name"))
		assert.NotContains(t, o["ClusterRole/embargo-audit"].Object, "rules", "the API server fills it, and Helm must not take that back")
		assert.Equal(t, "true", o["ClusterRole/embargo-audit-workloads"].GetLabels()["embargo.dev/aggregate-to-audit"])
		assert.Equal(t, kustomized(t, "config/components/read-workloads/role.yaml", "embargo-audit-workloads"), o.At("ClusterRole/embargo-audit-workloads", "rules"))
	}},
	{"an autoscaler says how many replicas", "replicas: null", func(t *testing.T, o chart.Objects) {
		assert.Nil(t, o.At("Deployment/embargo", "spec", "replicas"))
		assert.Contains(t, o, "PodDisruptionBudget/embargo")
	}},
	{"no default policy", "catalog: {defaultPolicy: none}", func(t *testing.T, o chart.Objects) {
		assert.Equal(t, false, config(t, o["ConfigMap/embargo-config"])["catalog"].(map[string]any)["defaultPolicy"])
	}},
	{"CRDs with annotations", "crds: {annotations: {argocd.argoproj.io/sync-options: Delete=false}}", func(t *testing.T, o chart.Objects) {
		annotations := o["CustomResourceDefinition/vendorpolicies.embargo.dev"].GetAnnotations()
		assert.Equal(t, "Delete=false", annotations["argocd.argoproj.io/sync-options"])
		assert.Equal(t, "keep", annotations["helm.sh/resource-policy"])
	}},
	{"CRDs that go with the release", "crds: {keep: false}", func(t *testing.T, o chart.Objects) {
		assert.NotContains(t, o["CustomResourceDefinition/vendorpolicies.embargo.dev"].GetAnnotations(), "helm.sh/resource-policy")
	}},
	{"CRDs that somebody else applies", "crds: {enabled: false}", func(t *testing.T, o chart.Objects) {
		for key := range o {
			assert.NotContains(t, key, "CustomResourceDefinition/")
		}
	}},
	{"monitoring", "metrics: {serviceMonitor: {enabled: true, labels: {release: prometheus}, namespace: default, scrapeTimeout: 20s, relabelings: [{targetLabel: cluster, replacement: eu}], metricRelabelings: [{action: labeldrop, regex: pod}]}, alerts: {enabled: true}, dashboard: {enabled: true}}", func(t *testing.T, o chart.Objects) {
		assert.Equal(t, "prometheus", o["ServiceMonitor/embargo"].GetLabels()["release"])
		assert.Equal(t, "default", o["ServiceMonitor/embargo"].GetNamespace())
		assert.Equal(t, []any{"embargo-system"}, o.At("ServiceMonitor/embargo", "spec", "namespaceSelector", "matchNames"))
		endpoint := o.At("ServiceMonitor/embargo", "spec", "endpoints").([]any)[0].(map[string]any)
		assert.Equal(t, "20s", endpoint["scrapeTimeout"])
		assert.Len(t, endpoint["relabelings"], 1)
		assert.Len(t, endpoint["metricRelabelings"], 1)
		assert.Contains(t, o, "PrometheusRule/embargo")
		assert.Equal(t, "1", o["ConfigMap/embargo-dashboard"].GetLabels()["grafana_dashboard"])
		selector := o.At("ServiceMonitor/embargo", "spec", "selector", "matchLabels").(map[string]any)
		for label, value := range selector {
			assert.Equal(t, value, o["Service/embargo-metrics"].GetLabels()[label], label)
		}
	}},
	{"no metrics", "metrics: {enabled: false}", func(t *testing.T, o chart.Objects) {
		assert.NotContains(t, o, "Service/embargo-metrics")
		assert.Equal(t, map[string]any{"bindAddress": "0"}, config(t, o["ConfigMap/embargo-config"])["metrics"])
	}},
	{"a network policy", "networkPolicy: {enabled: true, metricsFrom: [{namespaceSelector: {matchLabels: {team: monitoring}}}]}", func(t *testing.T, o chart.Objects) {
		ingress := o.At("NetworkPolicy/embargo", "spec", "ingress").([]any)
		assert.NotContains(t, ingress[0], "from", "the kubelet is no Pod")
		assert.NotContains(t, ingress[1], "from", "the API server is no Pod")
		assert.Contains(t, ingress[2], "from")
	}},
	{"a network policy with the control plane's addresses", "networkPolicy: {enabled: true, webhookFrom: [{ipBlock: {cidr: 192.0.2.0/28}}]}", func(t *testing.T, o chart.Objects) {
		ingress := o.At("NetworkPolicy/embargo", "spec", "ingress").([]any)
		assert.NotContains(t, ingress[0], "from", "the kubelet still reaches the probes")
		assert.Equal(t, []any{map[string]any{"ipBlock": map[string]any{"cidr": "192.0.2.0/28"}}}, ingress[1].(map[string]any)["from"])
		assert.Equal(t, "webhook", ingress[1].(map[string]any)["ports"].([]any)[0].(map[string]any)["port"])
	}},
	{"secure metrics", "metrics: {secure: true, serviceMonitor: {enabled: true}}", func(t *testing.T, o chart.Objects) {
		assert.Equal(t, map[string]any{"bindAddress": ":8080", "secure": true}, config(t, o["ConfigMap/embargo-config"])["metrics"])
		endpoint := o.At("ServiceMonitor/embargo", "spec", "endpoints").([]any)[0].(map[string]any)
		assert.Equal(t, "https", endpoint["scheme"])
		assert.Equal(t, map[string]any{
			"serverName": "embargo-webhook.embargo-system.svc",
			"ca":         map[string]any{"secret": map[string]any{"name": "embargo-webhook-certificate", "key": "ca.crt"}},
		}, endpoint["tlsConfig"])
		assert.Contains(t, o.At("ClusterRole/embargo-controller", "rules"), map[string]any{"apiGroups": []any{"authentication.k8s.io"}, "resources": []any{"tokenreviews"}, "verbs": []any{"create"}})
		assert.Contains(t, o.At("ClusterRole/embargo-controller", "rules"), map[string]any{"apiGroups": []any{"authorization.k8s.io"}, "resources": []any{"subjectaccessreviews"}, "verbs": []any{"create"}})
	}},
	{"secure metrics with cert-manager", "metrics: {secure: true, serviceMonitor: {enabled: true}}\ncertificates: {source: cert-manager}", func(t *testing.T, o chart.Objects) {
		endpoint := o.At("ServiceMonitor/embargo", "spec", "endpoints").([]any)[0].(map[string]any)
		assert.Equal(t, "embargo-webhook-tls", endpoint["tlsConfig"].(map[string]any)["ca"].(map[string]any)["secret"].(map[string]any)["name"])
	}},
	{"escape hatches", `
commonLabels: {team: platform}
commonAnnotations: {note: x}
extraArgs: [--log-level=debug]
extraEnv: [{name: GOMEMLIMIT, value: 200MiB}]
extraVolumes: [{name: more, emptyDir: {}}]
extraVolumeMounts: [{name: more, mountPath: /more}]
extraObjects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: "{{ .Release.Name }}-more", namespace: embargo-system}}]
podLabels: {a: b}
podAnnotations: {c: d}
priorityClassName: system-cluster-critical
tolerations: [{key: dedicated, operator: Exists}]
affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists}]}]}}}
topologySpreadConstraints: [{maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {a: b}}}]
serviceAccount: {annotations: {e: f}}
service: {annotations: {g: h}}
config: {webhook: {host: "::"}}
runtimeClassName: gvisor
dnsPolicy: None
dnsConfig: {nameservers: [10.0.0.10]}
hostAliases: [{ip: 10.0.0.1, hostnames: [api.example.com]}]
strategy: {type: Recreate}
minReadySeconds: 5
`, func(t *testing.T, o chart.Objects) {
		assert.Equal(t, []any{"--config=/etc/embargo/config.yaml", "--log-level=debug"}, o.Container("args"))
		assert.Contains(t, o, "ConfigMap/embargo-more")
		assert.Equal(t, "::", config(t, o["ConfigMap/embargo-config"])["webhook"].(map[string]any)["host"])
		assert.Equal(t, "gvisor", o.Pod("runtimeClassName"))
		assert.Equal(t, []any{"10.0.0.10"}, o.Pod("dnsConfig", "nameservers"))
		assert.Len(t, o.Pod("hostAliases"), 1)
		assert.Equal(t, map[string]any{"type": "Recreate"}, o.At("Deployment/embargo", "spec", "strategy"))
		assert.EqualValues(t, 5, o.At("Deployment/embargo", "spec", "minReadySeconds"))
		assert.Equal(t, "system-cluster-critical", o.Pod("priorityClassName"))
		assert.Len(t, o.Pod("topologySpreadConstraints"), 1)
		assert.Equal(t, "h", o["Service/embargo-webhook"].GetAnnotations()["g"])
		for key, object := range o {
			if key != "ConfigMap/embargo-more" {
				assert.Equal(t, "platform", object.GetLabels()["team"], key)
				assert.Equal(t, "x", object.GetAnnotations()["note"], key)
			}
		}
	}},
	{"roles and accounts of somebody else", "rbac: {create: false, people: false}\nserviceAccount: {create: false, name: other}", func(t *testing.T, o chart.Objects) {
		assert.Equal(t, "other", o.Pod("serviceAccountName"))
		for key := range o {
			if key != "ClusterRole/embargo" { // it stands for the installation
				assert.NotRegexp(t, "Role|ServiceAccount", key)
			}
		}
		assert.Empty(t, o.At("ClusterRole/embargo", "rules"))
	}},
	{"a subchart", "global: {imageRegistry: harbor.example.com/mirror, imagePullSecrets: [{name: shared}], other: x}\nenabled: true\nimagePullSecrets: [{name: own}]", func(t *testing.T, o chart.Objects) {
		assert.Equal(t, "harbor.example.com/mirror/embargo:0.1.0", o.Container("image"))
		assert.Equal(t, []any{map[string]any{"name": "own"}, map[string]any{"name": "shared"}}, o.Pod("imagePullSecrets"))
	}},
	{"labels of one's own", "commonLabels: {team: platform, app.kubernetes.io/version: v7}\npodLabels: {team: runtime}", func(t *testing.T, o chart.Objects) {
		labels := o.At("Deployment/embargo", "spec", "template", "metadata", "labels").(map[string]any)
		assert.Equal(t, "runtime", labels["team"])
		assert.Equal(t, "embargo", labels["app.kubernetes.io/name"])
		assert.Equal(t, "platform", o["Service/embargo-webhook"].GetLabels()["team"])
	}},
	{"no fixed user, as on OpenShift", "openshift: true", func(t *testing.T, o chart.Objects) {
		assert.Equal(t, map[string]any{"runAsNonRoot": true, "seccompProfile": map[string]any{"type": "RuntimeDefault"}}, o.Pod("securityContext"))
	}},
}

// kustomized returns the rules of a role in a file of config.
func kustomized(t *testing.T, file, role string) any {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(stage.root, file))
	require.NoError(t, err)
	objects, err := chart.Parse(string(content))
	require.NoError(t, err)
	return objects.At("ClusterRole/"+role, "rules")
}

// verbs returns the verbs of the controller's rule for a resource, nil without one.
func verbs(o chart.Objects, resource string) any {
	rules, _ := o.At("ClusterRole/embargo-controller", "rules").([]any)
	for _, rule := range rules {
		rule := rule.(map[string]any)
		if slices.Contains(rule["resources"].([]any), any(resource)) {
			return rule["verbs"]
		}
	}
	return nil
}

// documented returns the keys of the config file that docs/configuration.md shows, which names
// every key, with their values.
func documented(t *testing.T) map[string]any {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(stage.root, "docs", "configuration.md"))
	require.NoError(t, err)
	_, block, _ := strings.Cut(string(page), "```yaml\n")
	block, _, _ = strings.Cut(block, "```")
	file := map[string]any{}
	require.NoError(t, yaml.UnmarshalStrict([]byte(block), &file))
	keys := map[string]any{}
	for key, value := range file {
		inner, nested := value.(map[string]any)
		if !nested {
			keys[key] = value
			continue
		}
		for below, value := range inner {
			keys[key+"."+below] = value
		}
	}
	return keys
}

// settable are the keys of the config file that values.config takes, since no other value
// sets them.
var settable = []string{"apiVersion", "kind", "audit.disabled", "leaderElection.disabled", "webhook.host", "webhook.url"}

// TestEachKeyOfTheConfigFileHasOneValue gives each documented key by itself. A key that the
// chart sets from another value is refused, with the name of that value.
func TestEachKeyOfTheConfigFileHasOneValue(t *testing.T) {
	for key, value := range documented(t) {
		nested := value
		if text, ok := value.(string); ok && text == "" {
			nested = "https://embargo.example.com" // as webhook.url, whose default is empty
		}
		if flag, ok := value.(bool); ok {
			nested = !flag || key == "catalog.defaultPolicy"
		}
		if list, ok := value.([]any); ok && len(list) == 0 {
			nested = []string{"somebody"}
		}
		path := strings.Split("config."+key, ".")
		for _, part := range slices.Backward(path) {
			nested = map[string]any{part: nested}
		}
		values, err := yaml.Marshal(nested)
		require.NoError(t, err)
		_, err = template(t, 4, string(values))
		if slices.Contains(settable, key) {
			assert.NoError(t, err, key)
			continue
		}
		require.Error(t, err, key)
		assert.Regexp(t, `- config\.`+regexp.QuoteMeta(strings.Split(key, ".")[0])+`[a-zA-Z.]*: the chart sets this key; \w+ .+ instead`, err.Error(), key)
	}
}

// resourceNames returns the names of the first rule for a resource that has any.
func resourceNames(role *unstructured.Unstructured, resource string) any {
	rules, _, _ := unstructured.NestedSlice(role.Object, "rules")
	for _, rule := range rules {
		rule := rule.(map[string]any)
		if names, ok := rule["resourceNames"]; ok && slices.Contains(rule["resources"].([]any), any(resource)) {
			return names
		}
	}
	return nil
}

func secretVolume(o chart.Objects) any {
	for _, volume := range o.Pod("volumes").([]any) {
		if secret, ok := volume.(map[string]any)["secret"].(map[string]any); ok {
			return secret["secretName"]
		}
	}
	return nil
}

func TestValues(t *testing.T) {
	embargo, err := installation.Build(t.Context(), stage.root, stage.dir)
	require.NoError(t, err)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			text, err := template(t, 4, c.values)
			require.NoError(t, err)
			three, err := template(t, 3, c.values)
			require.NoError(t, err)
			assert.Equal(t, text, three, "Helm 3 and 4 make the same of it")
			objects, err := chart.Parse(text)
			require.NoError(t, err, text)
			c.check(t, objects)
			if said := accept(t, text); objects.Pod("hostNetwork") == true {
				assert.Contains(t, said, `Warning: would violate PodSecurity "restricted:latest": host namespaces (hostNetwork=true)`)
			} else {
				assert.NotContains(t, said, "Warning")
			}
			for key, object := range objects {
				if object.GetKind() == "ConfigMap" && strings.HasSuffix(key, "-config") {
					understood(t, embargo, object)
				}
			}
		})
	}
}

// understood insists that the controller reads the config file: it gets as far as looking
// for its cluster.
func understood(t *testing.T, embargo string, configMap *unstructured.Unstructured) {
	t.Helper()
	text, _, err := unstructured.NestedString(configMap.Object, "data", "config.yaml")
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "empty"), 0o700))
	file := filepath.Join(dir, "config.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	output, err := exec.CommandContext(t.Context(), embargo, "--config="+file, "--kubeconfig="+filepath.Join(dir, "empty", "none")).CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(output), "embargo: reaching the cluster")
}

func TestAReleaseMayHaveDotsInItsName(t *testing.T) {
	text, err := stage.helms[4].Run(t.Context(), stage.dir, "", "template", "embargo.eu", filepath.Join(stage.root, "charts", "embargo"), "--namespace=embargo-system", "--kube-version="+controlplane.KubernetesVersion)
	require.NoError(t, err)
	objects, err := chart.Parse(text)
	require.NoError(t, err)
	assert.Contains(t, objects, "Service/embargo-eu-webhook", "a Service may not")
	accept(t, text)
}

func TestWrongValuesAreRefusedWithTheirNames(t *testing.T) {
	for values, says := range map[string]string{
		"replica: 2":                                                      "replica",
		"replicas: two":                                                   "/replicas",
		"image: {digest: latest}":                                         "/image/digest",
		"certificates: {source: secret}":                                  "/certificates/secretName",
		"catalog: {defaultPolicy: yes please}":                            "/catalog/defaultPolicy",
		"reportAPI: policyreports":                                        "/reportAPI",
		"webhook: {clientCA: {configMap: a, secretName: b}}":              "/webhook/clientCA/secretName",
		"webhook: {tls: {minVersion: '1.3'}}":                             "/webhook/tls/minVersion",
		"ports: {webhook: 0}":                                             "/ports/webhook",
		"policies: {a: {spec: {enforcement: Deny}}}":                      "audiences",
		"policies: {a: {spec: {audience: [us-persons]}}}":                 "audience",
		"policies: {A: {spec: {audiences: [us-persons]}}}":                "/policies",
		"waivers: {a: {spec: {vendor: x}}}":                               "/waivers/a/spec",
		"vendors: {a: {spec: {displayName: A, restrictions: [{}]}}}":      "/vendors/a/spec/restrictions/0",
		"nameOverride: My Gate":                                           "/nameOverride",
		"config: {webhok: {port: 1}}":                                     "webhok",
		"config: {webhook: {url: http://localhost}}":                      "/config/webhook/url",
		"catalog: {vendors: [kasperski]}":                                 "/catalog/vendors/0",
		"catalog: {vendors: ['!kaspersky']}":                              "/catalog/vendors",
		"certificates: {certManager: {issuerRef: {kind: ClusterIssuer}}}": "/certificates/certManager/issuerRef",
		"podDisruptionBudget: {maxUnavailable: many}":                     "/podDisruptionBudget/maxUnavailable",
		"podDisruptionBudget: {maxUnavailable: 0}":                        "/podDisruptionBudget/maxUnavailable",
		"podDisruptionBudget: {maxUnavailable: 0%}":                       "/podDisruptionBudget/maxUnavailable",
		"rbac: {read: everything}":                                        "/rbac/read",
		"config: {webhook: {port: 10443}}":                                "config.webhook.port: the chart sets this key; set ports.webhook instead",
		"config: {leaderElection: {name: other}}":                         "config.leaderElection.name: the chart sets this key; set fullnameOverride instead",
		"drainPeriod: 60s":                                                "drainPeriod: 60s is not shorter than terminationGracePeriodSeconds (30)",
		"drainPeriod: 1m30s\nterminationGracePeriodSeconds: 90":           "drainPeriod: 1m30s is not shorter than terminationGracePeriodSeconds (90)",
		"ports: {metrics: 9443}":                                          "ports.metrics: 9443 is ports.webhook already",
		"metrics: {enabled: false, alerts: {enabled: true}}":              "metrics.alerts.enabled: true needs metrics.enabled: true",
		"metrics: {enabled: false, serviceMonitor: {enabled: true}}":      "metrics.serviceMonitor.enabled: true needs metrics.enabled: true",
		"metrics: {enabled: false, dashboard: {enabled: true}}":           "metrics.dashboard.enabled: true needs metrics.enabled: true",
		"podLabels: {app.kubernetes.io/name: other}":                      "podLabels: app.kubernetes.io/name is a label of the chart's selectors",
		"commonLabels: {app.kubernetes.io/instance: other}":               "commonLabels: app.kubernetes.io/instance is a label of the chart's selectors",
		"trustedControllers: [' ']":                                       "/trustedControllers/0",
		"drainPeriod: 5":                                                  "/drainPeriod",
		"metrics: {serviceMonitor: {enabled: true, interval: sometimes}}": "/metrics/serviceMonitor/interval",

		"metrics: {secure: true, serviceMonitor: {enabled: true, namespace: monitoring}}": "metrics.serviceMonitor.namespace: with metrics.secure the ServiceMonitor reads the CA from a Secret in its own namespace",
	} {
		for _, major := range helm.Majors {
			_, err := template(t, major, values)
			require.Error(t, err, values)
			assert.Contains(t, err.Error(), says, "Helm %d: %s", major, values)
		}
	}
}
