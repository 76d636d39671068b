package webhook

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/policies/workload"
)

// TestOddTextsBreakNoAnswer warns about a custom resource whose texts a tenant chooses, and
// refuses it. A refusal comes back in the status of whoever creates the Pods, and in events.
func TestOddTextsBreakNoAnswer(t *testing.T) {
	for _, odd := range []string{"\x01", "\x1b[31m", "\r\n", "\x7f", "\u0085", "\u009f", "\u202e", "\u2028", "\ufeff", "\ufffe", "\uffff", "\U000e0001"} {
		t.Run(strconv.QuoteToASCII(odd), func(t *testing.T) {
			images := []workload.Image{{Field: "spec.a" + odd + ".image", List: "containers", Name: "c" + odd, Value: "acme/agent:1"}}
			unreadable := workload.Image{Field: "spec.b" + odd + ".image", List: "containers", Name: "d" + odd, Value: "busybox" + odd}
			for what, objects := range map[string][]workload.Image{"refused": images, "refused beside it": append(images, unreadable), "warned of": {unreadable}} {
				response := respond(&admissionv1.AdmissionRequest{}, decided(t, objects))
				texts := response.Warnings
				if response.Result != nil && response.Result.Details != nil {
					texts = append(texts, response.Result.Message)
					for _, cause := range response.Result.Details.Causes {
						texts = append(texts, cause.Field, cause.Message)
					}
				}
				for key, text := range response.AuditAnnotations {
					texts = append(texts, key, text)
				}
				assert.Equal(t, what == "warned of", response.Allowed)
				text, err := yaml.Marshal(texts)
				require.NoError(t, err, what)
				var back []string
				require.NoError(t, yaml.Unmarshal(text, &back), what)
				assert.Equal(t, texts, back, what)
				assert.NotContains(t, strings.Join(texts, " "), odd, what)

				var annotated struct{ Findings []policies.Finding }
				require.NoError(t, json.Unmarshal([]byte(response.AuditAnnotations[annotationFindings]), &annotated))
				assert.Equal(t, objects[0].Value, annotated.Findings[0].Image, "the annotation has it as it was written")
			}
		})
	}
}

// decided decides the creation of a custom resource where Acme is banned.
func decided(t *testing.T, images []workload.Image) policies.Decision {
	t.Helper()
	rules, problems := policies.Compile(policies.Source{
		Vendors: []v1alpha1.RestrictedVendor{{ObjectMeta: metav1.ObjectMeta{Name: "acme"}, Spec: v1alpha1.RestrictedVendorSpec{
			DisplayName: "Acme", Images: v1alpha1.VendorImages{Repositories: []v1alpha1.RepositoryPattern{{Pattern: "acme/**"}}},
			Restrictions: []v1alpha1.Restriction{{
				Name: "order", Audience: "us-persons", TimeZone: "UTC", Citations: []v1alpha1.Citation{{Title: "Order 1"}},
				Schedule: []v1alpha1.Phase{{Phase: "banned", Effective: "2020-01-01", Introduce: v1alpha1.ActionDeny, Update: v1alpha1.ActionDeny, Continue: v1alpha1.ActionWarn}},
			}},
		}}},
		Policies: []v1alpha1.VendorPolicy{{ObjectMeta: metav1.ObjectMeta{Name: "default"}, Spec: v1alpha1.VendorPolicySpec{Audiences: []string{"us-persons"}}}},
	})
	require.Empty(t, problems)
	return rules.Evaluate(policies.Request{
		Operation: policies.Create, Kind: schema.GroupKind{Group: "example.com", Kind: "Fleet"},
		Namespace: policies.Namespace{Name: "mail", Known: true}, Object: workload.Object{Images: images},
	}, policies.At(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)))
}
