package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"embargo.dev/policies"
	"embargo.dev/policies/catalog"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/policies/workload"
	"embargo.dev/webhook"
	"embargo.dev/webhook/limits"
)

// namespaces is a cache that has every namespace.
type namespaces struct{ client.Reader }

func (namespaces) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	into.SetName(key.Name)
	return nil
}

// BenchmarkReview compares the review of a suspect with a webhook that does nothing.
func BenchmarkReview(b *testing.B) {
	suspect := reviewOf(b, "registry.example.com/vendor-3-23757/agent:"+strings.Repeat("a", 43))
	measure := func(name string, handler http.Handler) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				request := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/validate", bytes.NewReader(suspect))
				request.Header.Set("Content-Type", "application/json")
				handler.ServeHTTP(httptest.NewRecorder(), request)
			}
		})
	}
	measure("no-op", &admission.Webhook{Handler: admission.HandlerFunc(func(context.Context, admission.Request) admission.Response {
		return admission.Allowed("")
	})})
	for _, n := range []int{10, 10_000} {
		rules := rulesOf(b, n)
		measure(fmt.Sprint("embargo/patterns=", n), webhook.Serve(&webhook.Workloads{
			Rules: func() *policies.RuleSet { return rules }, Clock: time.Now,
			Cache: namespaces{}, Live: namespaces{}, Covered: workload.Builtin,
		}, limits.New().Unpaced()))
	}
}

func reviewOf(b *testing.B, image string) []byte {
	b.Helper()
	raw, err := json.Marshal(&corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "p"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "a", Image: "nginx"}, {Name: "b", Image: image}}},
	})
	require.NoError(b, err)
	body, err := json.Marshal(admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"},
		Request: &admissionv1.AdmissionRequest{
			UID: "u", Operation: admissionv1.Create, Namespace: "n", Name: "p",
			Kind: metav1.GroupVersionKind{Version: "v1", Kind: "Pod"}, Resource: metav1.GroupVersionResource{Version: "v1", Resource: "pods"},
			UserInfo: authenticationv1.UserInfo{Username: "jane"}, Object: runtime.RawExtension{Raw: raw},
		},
	})
	require.NoError(b, err)
	return body
}

// rulesOf compiles the built-in list with so many patterns of another vendor.
func rulesOf(b *testing.B, patterns int) *policies.RuleSet {
	b.Helper()
	vendors, err := catalog.Vendors()
	require.NoError(b, err)
	v := v1alpha1.RestrictedVendor{ObjectMeta: metav1.ObjectMeta{Name: "bench"}, Spec: v1alpha1.RestrictedVendorSpec{
		DisplayName: "Bench", Restrictions: []v1alpha1.Restriction{{
			Name: "bench", Audience: "us-persons", TimeZone: "UTC", Citations: []v1alpha1.Citation{{Title: "Bench"}},
			Schedule: []v1alpha1.Phase{{Phase: "p", Effective: "2020-01-01", Introduce: "Warn", Update: "Warn", Continue: "Warn"}},
		}},
	}}
	for i := range patterns {
		v.Spec.Images.Repositories = append(v.Spec.Images.Repositories, v1alpha1.RepositoryPattern{Pattern: fmt.Sprintf("registry.example.com/vendor-%d-%d/**", i, i*7919)})
	}
	rules, problems := policies.Compile(policies.Source{Vendors: append(vendors, v), Policies: []v1alpha1.VendorPolicy{catalog.DefaultPolicy()}})
	require.Empty(b, problems)
	return rules
}
