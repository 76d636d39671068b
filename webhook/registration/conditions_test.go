package registration

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"embargo.dev/policies"
	"embargo.dev/policies/prefilter"
	"embargo.dev/policies/v1alpha1"
	conditions "embargo.dev/test/condition"
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

func labelled(name string, labels map[string]string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
}

func TestOnlyLabelsInUseAreLookedAt(t *testing.T) {
	inUse := LabelsInUse(
		[]v1alpha1.VendorPolicy{
			{Spec: v1alpha1.VendorPolicySpec{NamespaceSelector: metav1.LabelSelector{MatchLabels: map[string]string{"env": "prod"}}}},
			{Spec: v1alpha1.VendorPolicySpec{NamespaceSelector: metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: "web"}}}},
		},
		[]v1alpha1.VendorWaiver{
			{Spec: v1alpha1.VendorWaiverSpec{NamespaceSelector: metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "team/owner", Operator: metav1.LabelSelectorOpExists}}}}},
			{Spec: v1alpha1.VendorWaiverSpec{NamespaceSelector: metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: "mail"}}}},
		})
	assert.Equal(t, NamespaceLabels{Keys: []string{"env", "team/owner"}, WaiverKeys: []string{"team/owner"}, Names: []string{"mail"}}, inUse)
	expression := inUse.conditions()[0].expression
	type labels = map[string]string
	for _, c := range []struct {
		old, now *corev1.Namespace
		want     bool
	}{
		{labelled("a", nil), labelled("a", nil), false},
		{labelled("a", labels{"x": "1"}), labelled("a", labels{"x": "2"}), false},
		{labelled("a", labels{"env": "prod"}), labelled("a", labels{"env": "prod", "x": "2"}), false},
		{labelled("a", labels{"env": "prod"}), labelled("a", labels{"env": "test"}), true},
		{labelled("a", labels{"env": "prod"}), labelled("a", nil), true},
		{labelled("a", nil), labelled("a", labels{"team/owner": "x"}), true},
		{nil, labelled("a", nil), false},
		{nil, labelled("a", labels{"env": "prod"}), false},
		{nil, labelled("a", labels{"team/owner": "x"}), true},
		{nil, labelled("mail", nil), true},
	} {
		request := &admissionv1.AdmissionRequest{Operation: admissionv1.Update}
		var old runtime.Object = c.old
		if c.old == nil {
			request.Operation, old = admissionv1.Create, nil
		}
		assert.Equal(t, c.want, holds(t, expression, request, c.now, old), "%v → %v", c.old, c.now)
	}
	assert.Nil(t, LabelsInUse(nil, nil).conditions(), "without any, there is no entry")
}

// TestAWaiverForAllOthersIsEnteredByAnyNewNamespace is about selectors that ask only for
// what a namespace must not have.
func TestAWaiverForAllOthersIsEnteredByAnyNewNamespace(t *testing.T) {
	not := func(operator metav1.LabelSelectorOperator) metav1.LabelSelectorRequirement {
		return metav1.LabelSelectorRequirement{Key: "env", Operator: operator, Values: map[bool][]string{true: {"prod"}}[operator == metav1.LabelSelectorOpNotIn]}
	}
	created := &admissionv1.AdmissionRequest{Operation: admissionv1.Create}
	for _, operator := range []metav1.LabelSelectorOperator{metav1.LabelSelectorOpNotIn, metav1.LabelSelectorOpDoesNotExist} {
		selector := metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{not(operator)}}
		inUse := func() NamespaceLabels {
			return LabelsInUse(nil, []v1alpha1.VendorWaiver{{Spec: v1alpha1.VendorWaiverSpec{NamespaceSelector: selector}}})
		}
		assert.True(t, holds(t, inUse().conditions()[0].expression, created, labelled("a", nil), nil), operator)
		selector.MatchLabels = map[string]string{"team": "x"}
		assert.False(t, holds(t, inUse().conditions()[0].expression, created, labelled("a", nil), nil), "a label that it must have brings it in")
	}
}

// TestASelectorThatCannotBeReadIsLeftOut: one bad expression, and the API server would
// take none of the configuration.
func TestASelectorThatCannotBeReadIsLeftOut(t *testing.T) {
	bad := metav1.LabelSelector{MatchLabels: map[string]string{"it's": "here"}}
	good := metav1.LabelSelector{MatchLabels: map[string]string{"env": "prod"}}
	inUse := LabelsInUse([]v1alpha1.VendorPolicy{{Spec: v1alpha1.VendorPolicySpec{NamespaceSelector: bad}}, {Spec: v1alpha1.VendorPolicySpec{NamespaceSelector: good}}},
		[]v1alpha1.VendorWaiver{{Spec: v1alpha1.VendorWaiverSpec{NamespaceSelector: bad}}})
	assert.Equal(t, NamespaceLabels{Keys: []string{"env"}}, inUse)
	conditions.Compile(t, inUse.conditions()[0].expression)
}

// TestTooManyWordsAreNotListed: an expression has at most 100,000 characters.
func TestTooManyWordsAreNotListed(t *testing.T) {
	var waivers []v1alpha1.VendorWaiver
	for i := range 3000 {
		waivers = append(waivers, v1alpha1.VendorWaiver{Spec: v1alpha1.VendorWaiverSpec{NamespaceSelector: metav1.LabelSelector{
			MatchLabels: map[string]string{corev1.LabelMetadataName: fmt.Sprintf("a-namespace-of-a-team-with-a-long-name-%d", i)},
		}}})
	}
	expression := LabelsInUse(nil, waivers).conditions()[0].expression
	assert.Less(t, len(expression), 90_000)
	update, create := &admissionv1.AdmissionRequest{Operation: admissionv1.Update}, &admissionv1.AdmissionRequest{Operation: admissionv1.Create}
	some := map[string]string{"a": "b"}
	assert.True(t, holds(t, expression, create, labelled("n", nil), nil))
	assert.True(t, holds(t, expression, update, labelled("n", some), labelled("n", nil)))
	assert.True(t, holds(t, expression, update, labelled("n", nil), labelled("n", some)))
	assert.False(t, holds(t, expression, update, labelled("n", some), labelled("n", some)))
	assert.False(t, holds(t, expression, update, labelled("n", nil), labelled("n", nil)))
	few := LabelsInUse(nil, waivers[:1000]).conditions()[0].expression
	assert.Less(t, len(few), 90_000)
	assert.False(t, holds(t, few, create, labelled("n", nil), nil), "where they can be, they are listed")
}

// TestNothingWaitsForADeletionToBeAllowed: a finalizer can be taken away while Embargo is
// down.
func TestNothingWaitsForADeletionToBeAllowed(t *testing.T) {
	d := &desired{owner: &owner{}}
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

func TestEntriesAreAsTheArchitectureSays(t *testing.T) {
	d := &desired{endpoint: Endpoint{Namespace: "embargo-system", Service: "embargo-webhook", Port: 443}, namespace: "embargo-system",
		caBundle: []byte("ca"), version: "v1.0.0", owner: &owner{"embargo", "uid"}, labels: NamespaceLabels{Keys: []string{"env"}}}
	for _, filter := range []*prefilter.Prefilter{nil, {Expression: "suspicious"}} {
		d.prefilter = filter
		checkEntries(t, d, map[bool]string{true: "Fail", false: "Ignore"}[filter != nil])
	}
}

// checkEntries checks all entries; only introductions may fail closed, and only behind
// a prefilter.
func checkEntries(t *testing.T, d *desired, introduced string) {
	t.Helper()
	got := map[string]string{}
	for _, w := range d.configuration().Webhooks {
		got[*w.Name] = string(*w.FailurePolicy)
		assert.EqualValues(t, "Equivalent", *w.MatchPolicy, "another version must not pass by unseen")
		assert.EqualValues(t, 5, *w.TimeoutSeconds)
		if d.prefilter != nil && (*w.Name == introductions || *w.Name == continuations) {
			assert.Equal(t, "suspicious", *w.MatchConditions[len(w.MatchConditions)-1].Expression)
		}
		for _, r := range w.Rules {
			assert.NotContains(t, r.Operations, "DELETE")
		}
	}
	assert.Equal(t, map[string]string{introductions: introduced, continuations: "Ignore", templates: "Ignore", namespaces: "Fail", imports: "Ignore", kinds: "Fail"}, got)
}
