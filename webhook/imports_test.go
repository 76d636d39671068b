package webhook_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"embargo.dev/policies/v1alpha1"
	"embargo.dev/webhook"
)

// backup is a report as another cluster's audit wrote it.
func backup() *v1alpha1.VendorReport {
	then := metav1.NewTime(time.Now().Add(-time.Hour).Truncate(time.Second))
	return &v1alpha1.VendorReport{
		ObjectMeta: metav1.ObjectMeta{Namespace: "mail", Name: "acme"}, Vendor: "acme", NamespaceUID: "before", EvaluatedAt: then,
		Findings: []v1alpha1.ReportedFinding{{ReportedImage: v1alpha1.ReportedImage{Since: then}}},
		Resolved: []v1alpha1.ResolvedFinding{{ReportedImage: v1alpha1.ReportedImage{Since: then}, ResolvedAt: then}},
	}
}

func importAs(t *testing.T, user string, operation admissionv1.Operation, report *v1alpha1.VendorReport) admission.Response {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "mail", UID: "now"}}
	imports := &webhook.Imports{Live: fake.NewClientBuilder().WithScheme(newScheme(t)).WithObjects(namespace).Build(), Self: self, Clock: time.Now}
	raw, err := json.Marshal(report)
	require.NoError(t, err)
	return imports.Handle(t.Context(), admission.Request{AdmissionRequest: admissionv1.AdmissionRequest{
		UID: "u", Operation: operation, Kind: ours("VendorReport"), Namespace: "mail", Name: report.Name,
		UserInfo: authenticationv1.UserInfo{Username: user}, Object: runtime.RawExtension{Raw: raw},
	}})
}

func TestABackupsReportIsImported(t *testing.T) {
	assert.True(t, importAs(t, "restore", admissionv1.Create, backup()).Allowed)
	assert.Equal(t, int32(400), importAs(t, "restore", admissionv1.Update, backup()).Result.Code, "nothing is imported into a report that is there")
}

func TestAnImportNeverLooksLikeTheAuditsOwnReport(t *testing.T) {
	later := metav1.NewTime(time.Now().Add(time.Hour))
	for name, change := range map[string]func(*v1alpha1.VendorReport){
		"namespaceUID":           func(r *v1alpha1.VendorReport) { r.NamespaceUID = "now" },
		"metadata.name":          func(r *v1alpha1.VendorReport) { r.Vendor = "another" },
		"evaluatedAt":            func(r *v1alpha1.VendorReport) { r.EvaluatedAt = later },
		"findings[0].since":      func(r *v1alpha1.VendorReport) { r.Findings[0].Since = later },
		"resolved[0].resolvedAt": func(r *v1alpha1.VendorReport) { r.Resolved[0].ResolvedAt = later },
	} {
		report := backup()
		change(report)
		response := importAs(t, "restore", admissionv1.Create, report)
		require.False(t, response.Allowed, name)
		assert.Equal(t, metav1.StatusReasonInvalid, response.Result.Reason, name)
		assert.Contains(t, response.Result.Message, name)
	}
	own := backup()
	own.NamespaceUID = "now"
	assert.True(t, importAs(t, self, admissionv1.Create, own).Allowed, "where the controller has all rights its own reports come here")
}
