package webhook_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"embargo.dev/policies/v1alpha1"
	"embargo.dev/webhook"
	"embargo.dev/webhook/preview"
)

const self = "system:serviceaccount:embargo-system:embargo"

// kindsIn decides in a cluster that has the objects.
func kindsIn(t *testing.T, objects ...client.Object) *webhook.Kinds {
	t.Helper()
	scheme := newScheme(t)
	require.NoError(t, v1alpha1.AddToScheme(scheme))
	cluster := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
	return &webhook.Kinds{
		Cache: cluster, Self: self,
		Clock: time.Now, Preview: preview.New(cluster, cluster, time.Now),
	}
}

func ask(t *testing.T, k *webhook.Kinds, operation admissionv1.Operation, kind metav1.GroupVersionKind, user, object, old string) admission.Response {
	t.Helper()
	return k.Handle(t.Context(), admission.Request{AdmissionRequest: admissionv1.AdmissionRequest{
		UID: "u", Operation: operation, Kind: kind, Name: "x", UserInfo: authenticationv1.UserInfo{Username: user},
		Object: runtime.RawExtension{Raw: []byte(object)}, OldObject: runtime.RawExtension{Raw: []byte(old)},
	}})
}

func ours(kind string) metav1.GroupVersionKind {
	return metav1.GroupVersionKind{Group: "embargo.dev", Version: "v1alpha1", Kind: kind}
}

func TestDeletingIsNeverInTheWay(t *testing.T) {
	k := kindsIn(t)
	for _, kind := range []metav1.GroupVersionKind{ours("RestrictedVendor"), ours("VendorPolicy"), ours("VendorWaiver"), ours("VendorReport"), {Version: "v1", Kind: "Namespace"}} {
		assert.True(t, ask(t, k, admissionv1.Delete, kind, "jane", "", `{"metadata":{"name":"x"}}`).Allowed, kind.Kind)
	}
}

func TestOtherKindsAreNotDecided(t *testing.T) {
	k := kindsIn(t)
	for _, kind := range []metav1.GroupVersionKind{{}, {Version: "v1", Kind: "Pod"}, ours("Namespace"), {Group: "example.com", Version: "v1", Kind: "VendorPolicy"}} {
		response := ask(t, k, admissionv1.Create, kind, "jane", `{"metadata":{"name":"x"}}`, "")
		assert.False(t, response.Allowed, kind)
		assert.EqualValues(t, 400, response.Result.Code)
		assert.Contains(t, response.Result.Message, "is not decided here")
	}
	assert.Contains(t, ask(t, k, "", ours("VendorPolicy"), "jane", `{}`, "").Result.Message, "request.operation")
	assert.Contains(t, ask(t, k, admissionv1.Create, ours("VendorPolicy"), "jane", "", "").Result.Message, "reading the object")
}

// TestARefusalOfAListIsBounded: whoever generated it made one mistake ten thousand times.
func TestARefusalOfAListIsBounded(t *testing.T) {
	patterns := strings.TrimSuffix(strings.Repeat(`{"pattern":"*/*"},`, 10_000), ",")
	response := ask(t, kindsIn(t), admissionv1.Create, ours("RestrictedVendor"), "jane", `{"metadata":{"name":"x"},"spec":{"images":{"repositories":[`+patterns+`]}}}`, "")
	require.False(t, response.Allowed)
	causes := response.Result.Details.Causes
	require.Len(t, causes, 51)
	assert.Equal(t, "spec.images.repositories[0].pattern", causes[0].Field)
	assert.Contains(t, causes[50].Message, "and 9950 more")
}

// TestOnlyTheAuditWritesReports: but what belongs to the metadata is for the garbage
// collector to change, or a deletion in the foreground never ends.
func TestOnlyTheAuditWritesReports(t *testing.T) {
	k := kindsIn(t)
	const (
		collector = "system:serviceaccount:kube-system:generic-garbage-collector"
		report    = `{"metadata":{"name":"x"},"findings":[{"image":"a"}]}`
		waiting   = `{"metadata":{"name":"x","finalizers":["foregroundDeletion"],"deletionTimestamp":"2026-01-01T00:00:00Z"},"findings":[{"image":"a"}]}`
		forged    = `{"metadata":{"name":"x"},"findings":[]}`
	)
	for name, c := range map[string]struct {
		operation   admissionv1.Operation
		user        string
		object, old string
		allowed     bool
	}{
		"the audit creates":                {admissionv1.Create, self, report, "", true},
		"the audit updates":                {admissionv1.Update, self, forged, report, true},
		"somebody creates":                 {admissionv1.Create, "jane", report, "", false},
		"somebody updates":                 {admissionv1.Update, "jane", forged, report, false},
		"somebody labels":                  {admissionv1.Update, "jane", report, waiting, false},
		"the collector takes a finalizer":  {admissionv1.Update, collector, report, waiting, true},
		"the collector changes what it is": {admissionv1.Update, collector, forged, waiting, false},
		"the collector creates":            {admissionv1.Create, collector, report, "", false},
	} {
		response := ask(t, k, c.operation, ours("VendorReport"), c.user, c.object, c.old)
		assert.Equal(t, c.allowed, response.Allowed, name)
		if !c.allowed {
			assert.Equal(t, metav1.StatusReasonForbidden, response.Result.Reason, name)
		}
	}
}

// policyFor binds the namespaces that have a label.
func policyFor(name string, labels map[string]string) *v1alpha1.VendorPolicy {
	return &v1alpha1.VendorPolicy{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.VendorPolicySpec{
		Audiences: []string{"us-persons"}, NamespaceSelector: metav1.LabelSelector{MatchLabels: labels},
	}}
}

func waiverFor(name string, labels map[string]string, expires time.Time) *v1alpha1.VendorWaiver {
	return &v1alpha1.VendorWaiver{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.VendorWaiverSpec{
		Vendor: "acme", NamespaceSelector: metav1.LabelSelector{MatchLabels: labels}, Expires: metav1.NewTime(expires),
	}}
}

var namespaceKind = metav1.GroupVersionKind{Version: "v1", Kind: "Namespace"}

// TestAWayOutIsRefusedByLabelsAlone: whose rights are enough the API server doesn't send.
func TestAWayOutIsRefusedByLabelsAlone(t *testing.T) {
	const in, out = `{"metadata":{"name":"x","labels":{"env":"prod"}}}`, `{"metadata":{"name":"x"}}`
	prod := map[string]string{"env": "prod"}
	k := kindsIn(t, policyFor("a", prod))
	response := ask(t, k, admissionv1.Update, namespaceKind, "jane", out, in)
	require.False(t, response.Allowed)
	assert.Equal(t, `forbidden: the namespace would leave the VendorPolicy a, for which "jane" needs the verb "exempt" on vendorpolicies.embargo.dev`, response.Result.Message)
	assert.True(t, ask(t, k, admissionv1.Update, namespaceKind, "jane", in, out).Allowed, "in is no way out")
	assert.True(t, ask(t, k, admissionv1.Create, namespaceKind, "jane", out, "").Allowed, "it was nowhere")
	leaving := strings.Replace(out, `"x"`, `"x","deletionTimestamp":"2026-01-01T00:00:00Z"`, 1)
	assert.True(t, ask(t, k, admissionv1.Update, namespaceKind, "jane", leaving, in).Allowed, "it goes away")

	k = kindsIn(t, waiverFor("live", prod, time.Now().Add(time.Hour)), waiverFor("expired", prod, time.Now()))
	response = ask(t, k, admissionv1.Create, namespaceKind, "jane", in, "")
	require.False(t, response.Allowed)
	assert.Contains(t, response.Result.Message, `would enter the VendorWaiver live, for which "jane" needs the verb "exempt" on vendorwaivers.embargo.dev`)
	assert.NotContains(t, response.Result.Message, "expired")
}

// TestARefusalSaysWhichRightsCount: the API server can't check many by their names.
func TestARefusalSaysWhichRightsCount(t *testing.T) {
	const in, out = `{"metadata":{"name":"x","labels":{"env":"prod"}}}`, `{"metadata":{"name":"x"}}`
	prod := map[string]string{"env": "prod"}
	var bound []client.Object
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		bound = append(bound, policyFor(name, prod))
	}
	message := func(objects ...client.Object) string {
		response := ask(t, kindsIn(t, objects...), admissionv1.Update, namespaceKind, "jane", out, in)
		require.False(t, response.Allowed)
		assert.LessOrEqual(t, len(response.Result.Message), 800)
		return response.Result.Message
	}
	assert.NotContains(t, message(bound[:2]...), "at most")
	assert.Contains(t, message(bound...), "the VendorPolicy c, for which")
	assert.Contains(t, message(bound...), "and 2 more; the API server checks rights by name on at most 2 of them in a request; "+
		`change fewer labels at a time, or use the verb "exempt" on all vendorpolicies.embargo.dev`)
	for i := range 3000 {
		bound = append(bound, policyFor(fmt.Sprint("other-", i), map[string]string{"team": strconv.Itoa(i)}))
	}
	assert.Contains(t, message(bound[4:]...), `the cluster has too many policies and waivers to check rights by name, so it takes the verb "exempt" on all vendorpolicies.embargo.dev`)
}

// TestAForgedReviewLearnsNothingAboutRights: the answer is the same for every user.
func TestAForgedReviewLearnsNothingAboutRights(t *testing.T) {
	k := kindsIn(t, policyFor("a", map[string]string{"env": "prod"}))
	answer := func(user string) string {
		response := ask(t, k, admissionv1.Update, namespaceKind, user, `{"metadata":{"name":"x"}}`, `{"metadata":{"name":"x","labels":{"env":"prod"}}}`)
		return strings.ReplaceAll(response.Result.Message, user, "USER")
	}
	assert.Equal(t, answer("jane"), answer("system:admin"))
}
