package registration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"embargo.dev/policies"
	"embargo.dev/policies/catalog"
	"embargo.dev/policies/prefilter"
	"embargo.dev/policies/v1alpha1"
	conditions "embargo.dev/test/condition"
	"embargo.dev/webhook/exemption"
)

// holds evaluates a condition as the API server does.
func holds(t *testing.T, expression string, request *admissionv1.AdmissionRequest, object, old runtime.Object) bool {
	t.Helper()
	return conditions.Compile(t, expression).Holds(t, request, object, old)
}

// TestWhoGoesOnIsOneThing compares the expression in the configuration with the
// predicate in Go.
func TestWhoGoesOnIsOneThing(t *testing.T) {
	trusted := []string{"system:serviceaccount:argo:argo", `o'brien\`, "new\nline"}
	expression := policies.ContinuesExpression(trusted)
	for _, u := range []policies.User{
		{Name: "jane"},
		{Name: "system:admin", Groups: []string{"system:masters"}},
		{Name: "system:kube-controller-manager"},
		{Name: "system:serviceaccount:kube-system:replicaset-controller", Groups: []string{"system:serviceaccounts"}},
		{Name: "system:serviceaccount:kube-system:somebody-elses"},
		{Name: "system:serviceaccount:default:replicaset-controller"},
		{Name: "system:serviceaccount:kube-system:"},
		{Name: "system:node:n1", Groups: []string{"system:nodes"}},
		{Name: "system:node:n1"},
		{Name: "jane", Groups: []string{"system:nodes"}},
		{Name: "system:serviceaccount:argo:argo"},
		{Name: `o'brien\`}, {Name: "o'brien"}, {Name: "new\nline"},
		{Name: ""},
	} {
		want := policies.BuiltinController(u) || policies.Kubelet(u)
		for _, name := range trusted {
			want = want || u.Name == name
		}
		request := &admissionv1.AdmissionRequest{UserInfo: authenticationv1.UserInfo{Username: u.Name, Groups: u.Groups}}
		assert.Equal(t, want, holds(t, expression, request, nil, nil), "%q", u.Name)
		assert.Equal(t, !want, holds(t, "!"+expression, request, nil, nil), "%q", u.Name)
	}
}

// TestBuiltinControllersAreOneThing does so for the controllers that keep revisions.
func TestBuiltinControllersAreOneThing(t *testing.T) {
	expression := policies.BuiltinControllerExpression()
	for _, name := range []string{"jane", "", "system:kube-controller-manager", "system:serviceaccount:kube-system:daemon-set-controller",
		"system:serviceaccount:default:daemon-set-controller", "system:serviceaccount:argo:argo", "system:node:n1"} {
		request := &admissionv1.AdmissionRequest{UserInfo: authenticationv1.UserInfo{Username: name, Groups: []string{"system:nodes"}}}
		assert.Equal(t, policies.BuiltinController(policies.User{Name: name}), holds(t, expression, request, nil, nil), "%q", name)
	}
}

// revision is a ControllerRevision of a controller's with a container's image.
func revision(image string) *appsv1.ControllerRevision {
	data := `{"spec":{"template":{"$patch":"replace","metadata":{"creationTimestamp":null},"spec":{"containers":[{"name":"c","image":"` + image + `"}]}}}}`
	return &appsv1.ControllerRevision{ObjectMeta: metav1.ObjectMeta{Name: "r"}, Data: runtime.RawExtension{Raw: []byte(data)}}
}

// TestCustomResourcesGoToOneEntry writes them, and ControllerRevisions, as people and as
// controllers do.
func TestCustomResourcesGoToOneEntry(t *testing.T) {
	vendors, err := catalog.Vendors()
	require.NoError(t, err)
	rules, _ := policies.Compile(policies.Source{Vendors: vendors, Policies: []v1alpha1.VendorPolicy{catalog.DefaultPolicy()}})
	filter, err := prefilter.New(rules)
	require.NoError(t, err)
	d := &desired{owner: &owner{}, prefilter: filter, trusted: []string{"operator"}, exemptions: &exemption.Rules{}}
	const daemons = "system:serviceaccount:kube-system:daemon-set-controller"
	rollout := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"}}
	for name, c := range map[string]struct {
		user   string
		object runtime.Object
		want   string // "" where nobody is asked
	}{
		"a person's custom resource":       {"jane", rollout, templates},
		"a trusted controller's":           {"operator", rollout, customContinuations},
		"a built-in controller's":          {daemons, rollout, customContinuations},
		"a clean revision":                 {daemons, revision("nginx"), ""},
		"one with a suspect":               {daemons, revision("kaspersky/scanengine_httpd"), customContinuations},
		"a person's clean revision":        {"jane", revision("nginx"), templates},
		"a trusted controller's, not read": {"operator", revision("nginx"), customContinuations},
	} {
		request := &admissionv1.AdmissionRequest{Operation: admissionv1.Create, UserInfo: authenticationv1.UserInfo{Username: c.user}}
		request.Kind = metav1.GroupVersionKind{Group: "apps", Version: "v1", Kind: "ControllerRevision"}
		if c.object == runtime.Object(rollout) {
			request.Kind = metav1.GroupVersionKind{Group: "argoproj.io", Version: "v1alpha1", Kind: "Rollout"}
		}
		var asked []string
		for _, e := range d.entries() {
			if e.name != templates && e.name != customContinuations {
				continue
			}
			all := true
			for _, condition := range e.conditions {
				all = holds(t, condition.expression, request, c.object, nil) && all
			}
			if all {
				asked = append(asked, e.name)
			}
		}
		assert.Equal(t, c.want, strings.Join(asked, ", "), name)
	}
}

// TestNothingWaitsForADeletionToBeAllowed: a finalizer can be taken away while Embargo is
// down.
func TestNothingWaitsForADeletionToBeAllowed(t *testing.T) {
	d := &desired{owner: &owner{}, exemptions: &exemption.Rules{}}
	entries := d.entries()
	expression := entries[len(entries)-1].conditions[0].expression
	update := &admissionv1.AdmissionRequest{Operation: admissionv1.Update}
	vendor := func(metadata map[string]any) runtime.Object {
		return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "embargo.dev/v1alpha1", "kind": "RestrictedVendor", "metadata": metadata}}
	}
	there := vendor(map[string]any{"name": "a"})
	assert.True(t, holds(t, expression, update, there, there))
	assert.False(t, holds(t, expression, update, vendor(map[string]any{"name": "a", "deletionTimestamp": "2026-01-01T00:00:00Z"}), there))
}

func TestALowerVersionNeverOverwritesAHigherOne(t *testing.T) {
	for _, c := range []struct {
		there, own string
		newer      bool
	}{
		{"v1.2.0", "v1.1.0", true}, {"v1.1.0", "v1.2.0", false}, {"v1.1.0", "v1.1.0", false},
		{"v1.1.0", "v1.1.0-rc.1", true}, {"v1.1.0", "dev", true}, {"dev", "v1.1.0", false}, {"dev", "dev", false}, {"", "v1.0.0", false},
	} {
		assert.Equal(t, c.newer, newer(c.there, c.own), fmt.Sprint(c))
	}
}

// rulesUntil are a waiver that only excludes, until an instant.
func rulesUntil(expires time.Time) *exemption.Rules {
	excluding := metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "env", Operator: metav1.LabelSelectorOpDoesNotExist}}}
	w := v1alpha1.VendorWaiver{ObjectMeta: metav1.ObjectMeta{Name: "w"}, Spec: v1alpha1.VendorWaiverSpec{NamespaceSelector: excluding, Expires: metav1.NewTime(expires)}}
	return exemption.NewRules(nil, []v1alpha1.VendorWaiver{w}, expires.Add(-time.Minute))
}

func TestEntriesAreAsTheArchitectureSays(t *testing.T) {
	d := &desired{endpoint: Endpoint{Namespace: "embargo-system", Service: "embargo-webhook", Port: 443}, namespace: "embargo-system",
		caBundle: []byte("ca"), version: "v1.0.0", owner: &owner{"embargo", "uid"}}
	d.exemptions = rulesUntil(time.Now().Add(time.Hour))
	for _, filter := range []*prefilter.Prefilter{nil, {Expression: "suspicious", Revisions: "suspicious"}} {
		d.prefilter = filter
		checkEntries(t, d, map[bool]string{true: "Fail", false: "Ignore"}[filter != nil], "Ignore")
	}
	d.closed = true
	checkEntries(t, d, "Fail", "Fail")
}

// checkEntries checks all entries; of workloads only what people bring in may fail
// closed, and of built-in kinds only behind a prefilter.
func checkEntries(t *testing.T, d *desired, introduced, others string) {
	t.Helper()
	got := map[string]string{}
	for _, w := range d.configuration().Webhooks {
		got[*w.Name] = string(*w.FailurePolicy)
		assert.EqualValues(t, "Equivalent", *w.MatchPolicy, "another version must not pass by unseen")
		assert.EqualValues(t, map[bool]int{true: 1, false: 5}[*w.Name == customContinuations], *w.TimeoutSeconds, *w.Name)
		if d.prefilter != nil && (*w.Name == introductions || *w.Name == continuations) {
			assert.Equal(t, "suspicious", *w.MatchConditions[len(w.MatchConditions)-1].Expression)
		}
		for _, r := range w.Rules {
			assert.NotContains(t, r.Operations, "DELETE")
		}
	}
	assert.Equal(t, map[string]string{introductions: introduced, continuations: "Ignore", templates: others, customContinuations: "Ignore",
		namespaces: "Fail", namespaceExclusions: "Ignore", imports: "Ignore", kinds: "Fail"}, got)
}
