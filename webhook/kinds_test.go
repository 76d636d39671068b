package webhook_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientset "k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"embargo.dev/policies/v1alpha1"
	"embargo.dev/webhook"
	"embargo.dev/webhook/preview"
)

const self = "system:serviceaccount:embargo-system:embargo"

// kindsIn decides in a cluster that has the objects, where nobody may exempt anything,
// and nobody can be asked about the user "unanswered".
func kindsIn(t *testing.T, objects ...client.Object) *webhook.Kinds {
	t.Helper()
	scheme := newScheme(t)
	require.NoError(t, v1alpha1.AddToScheme(scheme))
	cluster := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
	access := clientset.NewClientset()
	access.PrependReactor("create", "subjectaccessreviews", func(action clienttesting.Action) (bool, runtime.Object, error) {
		review := action.(clienttesting.CreateAction).GetObject().(*authorizationv1.SubjectAccessReview)
		if review.Spec.User == "unanswered" {
			return true, nil, errors.New("etcd is on holiday")
		}
		return true, review, nil
	})
	return &webhook.Kinds{
		Cache: cluster, Access: access.AuthorizationV1().SubjectAccessReviews(), Self: self,
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

// TestAWayOutNeedsItsRight: where the right can't be asked about, nothing is decided.
func TestAWayOutNeedsItsRight(t *testing.T) {
	var bound []client.Object
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		bound = append(bound, &v1alpha1.VendorPolicy{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.VendorPolicySpec{
			Audiences: []string{"us-persons"}, NamespaceSelector: metav1.LabelSelector{MatchLabels: map[string]string{"env": "prod"}},
		}})
	}
	k := kindsIn(t, bound...)
	ns := metav1.GroupVersionKind{Version: "v1", Kind: "Namespace"}
	const in, out = `{"metadata":{"name":"x","labels":{"env":"prod"}}}`, `{"metadata":{"name":"x"}}`
	response := ask(t, k, admissionv1.Update, ns, "jane", out, in)
	require.False(t, response.Allowed)
	assert.Contains(t, response.Result.Message, `the namespace would leave the VendorPolicy a, for which "jane" needs the verb "exempt" on vendorpolicies.embargo.dev`)
	assert.Contains(t, response.Result.Message, "and perhaps 2 more")
	assert.LessOrEqual(t, len(response.Result.Message), 800)
	assert.True(t, ask(t, k, admissionv1.Update, ns, "jane", in, out).Allowed, "in is no way out")
	assert.True(t, ask(t, k, admissionv1.Create, ns, "jane", out, "").Allowed, "it was nowhere")
	leaving := strings.Replace(out, `"x"`, `"x","deletionTimestamp":"2026-01-01T00:00:00Z"`, 1)
	assert.True(t, ask(t, k, admissionv1.Update, ns, "jane", leaving, in).Allowed, "it goes away")
	response = ask(t, k, admissionv1.Update, ns, "unanswered", out, in)
	assert.False(t, response.Allowed)
	assert.EqualValues(t, "Undecided", response.Result.Reason)
}
