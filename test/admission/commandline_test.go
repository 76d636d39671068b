package admission_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"embargo.dev/policies"
	"embargo.dev/test/testcluster"
)

func embargo(t *testing.T, stdin string, args ...string) testcluster.Answer {
	t.Helper()
	return stage.Embargo(t, stage.Plane.Kubeconfig(), stdin, args...)
}

// checked is what is read of check's JSON.
type checked struct {
	RuleSet  string             `json:"ruleSet"`
	Notices  []string           `json:"notices"`
	Findings []policies.Finding `json:"findings"`
}

func check(t *testing.T, stdin string, args ...string) (checked, testcluster.Answer) {
	t.Helper()
	a := embargo(t, stdin, append(append([]string{"check"}, args...), "-o", "json")...)
	var r checked
	require.NoError(t, json.Unmarshal([]byte(a.Stdout), &r), a.Stdout+a.Stderr)
	return r, a
}

// TestCheckAgainstTheClusterAnswersAsAdmission compares with a dry run at the API
// server.
func TestCheckAgainstTheClusterAnswersAsAdmission(t *testing.T) {
	ns := namespace(t)
	restrict(t, vendor("compared", allowed))
	must(t, "-n", ns, "create", "deployment", "agent", "--image=registry.compared.example/agent:1", "--replicas=1")
	awaitPods(t, ns, "app=agent", 1)
	running := must(t, "-n", ns, "get", "deployment", "agent", "-o", "yaml")
	set := strings.Fields(must(t, "-n", ns, "get", "replicaset", "-l", "app=agent", "-o", "jsonpath={.items[0].metadata.name} {.items[0].metadata.uid}"))
	must(t, "label", "namespace", ns, "team=scanners")
	apply(t, fmt.Sprintf(`
apiVersion: embargo.dev/v1alpha1
kind: VendorWaiver
metadata: {name: compared}
spec:
  vendor: compared
  namespaceSelector: {matchLabels: {team: scanners, kubernetes.io/metadata.name: %s}}
  images: ["registry.compared.example/waived:1"]
  expires: "2099-01-01T00:00:00Z"
  reason: being replaced
  approvedBy: the security office
`, ns))
	t.Cleanup(func() { must(t, "delete", "vendorwaiver", "compared") })
	restrict(t, vendor("compared", prohibited))

	pod := "apiVersion: v1\nkind: Pod\nmetadata: {name: child, namespace: " + ns + ", ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: %s, uid: %s, controller: true}]}\nspec: {containers: [{name: c, image: %s}]}\n"
	for label, c := range map[string]struct {
		manifest string
		use      policies.Use
		denied   bool
	}{
		"as it runs":                 {running, policies.UseContinue, false},
		"another tag":                {strings.ReplaceAll(running, "agent:1", "agent:2"), policies.UseUpdate, true},
		"another name":               {strings.Replace(running, "name: agent\n", "name: other\n", 1), policies.UseIntroduce, true},
		"waived here":                {strings.ReplaceAll(running, "agent:1", "waived:1"), policies.UseIntroduce, false},
		"child of a carrier":         {fmt.Sprintf(pod, set[0], set[1], "registry.compared.example/agent:1"), policies.UseContinue, false},
		"child of another":           {fmt.Sprintf(pod, set[0], "none", "registry.compared.example/agent:1"), policies.UseIntroduce, true},
		"child with another product": {fmt.Sprintf(pod, set[0], set[1], "registry.compared.example/other:1"), policies.UseIntroduce, true},
	} {
		t.Run(label, func(t *testing.T) {
			output, err := kubectlWith(t, withoutIdentity(c.manifest), "apply", "--dry-run=server", "-f", "-")
			assert.Equal(t, c.denied, err != nil, output)
			r, a := check(t, c.manifest, "-f", "-", "--against-cluster")
			assert.Equal(t, map[bool]int{true: 1, false: 0}[c.denied], a.Code, a.Stderr)
			require.Len(t, r.Findings, 1, a.Stdout)
			assert.Equal(t, c.use, r.Findings[0].Use)
			assert.Equal(t, exportedDigest(t), r.RuleSet)
			if c.denied {
				assert.Contains(t, output, r.Findings[0].Message, "in the very words")
			}
		})
	}
}

// withoutIdentity makes a manifest of what the API server returned.
func withoutIdentity(manifest string) string {
	return regexp.MustCompile(`(?m)^  (uid|resourceVersion|creationTimestamp|generation): .*\n`).ReplaceAllString(manifest, "")
}

func TestCheckWithoutRightsTellsTheRest(t *testing.T) {
	ns := namespace(t)
	manifest := fmt.Sprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: %s}\nspec: {containers: [{name: c, image: %s}]}\n", ns, restricted)
	r, a := check(t, manifest, "-f", "-", "--against-cluster", "--as=nobody-of-"+ns)
	assert.Equal(t, 3, a.Code, a.Stderr)
	assert.Contains(t, a.Stderr, "RestrictedVendors: can't be read")
	assert.Contains(t, a.Stderr, "forbidden")
	assert.NotEmpty(t, r.Findings, "the rest is told, by the built-in list")
	r, a = check(t, manifest, "-f", "-", "--against-cluster", "--context=nonexistent")
	assert.Equal(t, 3, a.Code, a.Stderr)
	assert.NotEmpty(t, r.Findings)
}

// TestAnExportRepeatsTheAnswer sends a request to a replica and repeats its recorded
// answer from files alone.
func TestAnExportRepeatsTheAnswer(t *testing.T) {
	ns := namespace(t)
	restrict(t, vendor("repeated", allowed))
	must(t, "-n", ns, "create", "deployment", "agent", "--image=registry.repeated.example/agent:1", "--replicas=1")
	awaitPods(t, ns, "app=agent", 1)
	restrict(t, vendor("repeated", prohibited))
	around := write(t, "context.yaml", must(t, "-n", ns, "get", "replicasets", "-o", "yaml")+"---\n"+must(t, "get", "namespace", ns, "-o", "yaml"))
	owned := must(t, "-n", ns, "get", "pod", "-l", "app=agent", "-o", "jsonpath={.items[0]}")
	loose := fmt.Sprintf(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":%q},"spec":{"containers":[{"name":"c","image":"registry.repeated.example/agent:1"}]}}`, ns)

	export := embargo(t, "", "export")
	require.Equal(t, 0, export.Code, export.Stderr)
	rules := write(t, "rules.yaml", export.Stdout)
	for object, use := range map[string]policies.Use{owned: policies.UseContinue, loose: policies.UseIntroduce} {
		review := recorded(t, ns, object)
		annotations := review.Response.AuditAnnotations
		assert.Contains(t, export.Stdout, "# Rule set "+annotations["rule-set"])
		content, err := json.Marshal(review)
		require.NoError(t, err)
		r, a := check(t, "", "--review", write(t, "review.json", string(content)), "-f", around, "--list", rules, "--policy", rules)
		assert.Equal(t, map[bool]int{true: 0, false: 1}[review.Response.Allowed], a.Code, a.Stderr)
		assert.Equal(t, annotations["rule-set"], r.RuleSet)
		var told struct{ Findings []policies.Finding }
		require.NoError(t, json.Unmarshal([]byte(annotations["findings"]), &told))
		assert.Equal(t, told.Findings, r.Findings, "the same in every word")
		require.Len(t, r.Findings, 1)
		assert.Equal(t, use, r.Findings[0].Use)
	}
}

// recorded asks a replica about the creation of a Pod, and returns the review with its
// answer.
func recorded(t *testing.T, ns, pod string) *admissionv1.AdmissionReview {
	t.Helper()
	review := &admissionv1.AdmissionReview{Request: &admissionv1.AdmissionRequest{UID: "u", Namespace: ns, Name: "p", Operation: admissionv1.Create}}
	review.SetGroupVersionKind(admissionv1.SchemeGroupVersion.WithKind("AdmissionReview"))
	review.Request.Kind.Version, review.Request.Kind.Kind = "v1", "Pod"
	review.Request.Resource.Version, review.Request.Resource.Resource = "v1", "pods"
	review.Request.UserInfo.Username = "jane"
	review.Request.Object = runtime.RawExtension{Raw: []byte(pod)}
	body, err := json.Marshal(review)
	require.NoError(t, err)
	response, err := webhookClient(t).Post("https://localhost:"+strconv.Itoa(stage.Replicas[0].Port)+"/validate", "application/json", bytes.NewReader(body))
	require.NoError(t, err)
	defer response.Body.Close() //nolint:errcheck // read only
	var answered admissionv1.AdmissionReview
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answered))
	review.Response = answered.Response
	return review
}

func TestTheCommandLineKnowsTheCluster(t *testing.T) {
	a := embargo(t, "", "explain", "--resources")
	assert.Equal(t, 0, a.Code, a.Stderr)
	assert.Contains(t, a.Stdout, "controllerrevisions")
	a = embargo(t, "", "version")
	assert.Equal(t, 0, a.Code, a.Stderr)
	assert.Regexp(t, `Client Version: \S+\nController Version: \S+\n`, a.Stdout)
}

// TestThePluginWorks runs the real kubectl with the command line on its path.
func TestThePluginWorks(t *testing.T) {
	path := stage.CommandLine(t)
	script, err := os.ReadFile(filepath.Join(stage.Root, "cmd", "kubectl-embargo", "kubectl_complete-embargo"))
	require.NoError(t, err)
	dir := filepath.Dir(path)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "kubectl_complete-embargo"), script, 0o755))
	plugin := func(args ...string) string {
		cmd := stage.Plane.Kubectl(t.Context(), args...)
		cmd.Env = append(cmd.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
		output, err := cmd.CombinedOutput()
		require.NoError(t, err, string(output))
		return string(output)
	}
	assert.Contains(t, plugin("embargo", "explain", restricted), "Kaspersky (kaspersky)")
	assert.Contains(t, plugin("embargo", "check", "--help"), "  kubectl embargo check -f deploy/ -R")
	assert.Contains(t, plugin("__complete", "embargo", "schedule", "-o", ""), "ics")
}
