package audit

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"embargo.dev/audit/exposure"
	"embargo.dev/audit/inventory"
	"embargo.dev/policies"
	"embargo.dev/policies/workload"
	"embargo.dev/test/scenario"
	"embargo.dev/webhook"
)

const scenarioDir = "../policies/testdata/scenarios"

// TestTheAuditFindsWhatAdmissionWould compares, for the object of every scenario, what the
// audit finds with what the webhook would at the same instant, were the object updated
// and left as it is.
func TestTheAuditFindsWhatAdmissionWould(t *testing.T) {
	scenarios, err := scenario.Load(scenarioDir)
	require.NoError(t, err)
	compared := 0
	for _, s := range scenarios {
		if len(s.At) == len(time.DateOnly) || s.Namespace.Name == "" {
			continue // a webhook has instants only; what is in no namespace is compared elsewhere
		}
		t.Run(s.Name(scenarioDir), func(t *testing.T) {
			rules, _ := s.RuleSet()
			at, err := time.Parse(time.RFC3339, s.At)
			require.NoError(t, err)
			want := admitted(t, s, rules, at)
			assert.Equal(t, want, audited(t, s, rules, at))
			compared += len(want)
		})
	}
	assert.Greater(t, compared, 30, "the scenarios are to be worth the test")
}

// described writes down all that both know of a finding. The same image in containers of
// the same name is one finding of the audit.
func described(all []policies.Finding) []string {
	var texts []string
	for _, f := range all {
		f.Field, f.EvaluatedAt = "", time.Time{}
		text, _ := json.Marshal(f)
		texts = append(texts, string(text))
	}
	slices.Sort(texts)
	return slices.Compact(texts)
}

func admitted(t *testing.T, s *scenario.Scenario, rules *policies.RuleSet, at time.Time) []string {
	t.Helper()
	scheme := runtime.NewScheme()
	require.NoError(t, clientgoscheme.AddToScheme(scheme))
	require.NoError(t, metav1.AddMetaToScheme(scheme))
	var objects []client.Object
	for _, o := range s.Surroundings() {
		if o.GroupVersionKind().Group != "example.com" {
			objects = append(objects, o)
		}
	}
	reader := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
	w := &webhook.Workloads{
		Rules: func() *policies.RuleSet { return rules }, Clock: func() time.Time { return at },
		Cache: reader, Live: reader, Covered: workload.Builtin,
	}
	s.Operation = policies.Update
	review, err := s.Review()
	require.NoError(t, err)
	request := review.Request
	request.UserInfo.Username, request.UserInfo.Groups = "jane", nil
	request.OldObject, request.SubResource, request.Operation = request.Object, "", admissionv1.Update
	response := w.Handle(t.Context(), admission.Request{AdmissionRequest: *request})
	var annotated struct{ Findings []policies.Finding }
	if text := response.AuditAnnotations["findings"]; text != "" {
		require.NoError(t, json.Unmarshal([]byte(text), &annotated))
	}
	return described(annotated.Findings)
}

func audited(t *testing.T, s *scenario.Scenario, rules *policies.RuleSet, at time.Time) []string {
	t.Helper()
	k, o := decoded(t, &s.Object)
	seen, ok := read(k, o)
	require.True(t, ok)
	seen.Namespace, seen.UID = s.Namespace.Name, "uid"
	inv := inventory.New()
	inv.Put(k, seen, 1)
	inv.Judge(exposure.Suspicious(rules, at))
	e := &exposure.Evaluator{Rules: rules, Inventory: inv, Now: at, Namespace: func(name string) policies.Namespace {
		return policies.Namespace{Name: name, Labels: s.Namespace.Labels, Known: !s.Namespace.Unknown}
	}}
	var found []policies.Finding
	for _, f := range e.InNamespace([]*inventory.Namespace{inv.Namespace(s.Namespace.Name)}, func(exposure.Key, exposure.Workload) (exposure.Memory, bool) { return exposure.Memory{}, false }) {
		found = append(found, f.Finding)
	}
	return described(found)
}

// decoded decodes an object as an API server's answer would be, where it has the shape of
// its kind.
func decoded(t *testing.T, u *unstructured.Unstructured) (*inventory.Kind, runtime.Object) {
	t.Helper()
	gvk := u.GroupVersionKind()
	for _, k := range builtin {
		if k.GroupKind() != gvk.GroupKind() {
			continue
		}
		typed, err := clientgoscheme.Scheme.New(k.GroupVersionKind)
		require.NoError(t, err)
		if runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, typed) == nil {
			return k, typed
		}
	}
	return &inventory.Kind{GroupVersionKind: gvk, Resource: fmt.Sprint(gvk.Kind, "s")}, u
}
