package webhook

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"

	"embargo.dev/policies/v1alpha1"
)

// TestDecodingTakesNoMoreThanItsCost has lists of the shortest elements that a forger can
// send, where the types have lists of structs.
func TestDecodingTakesNoMoreThanItsCost(t *testing.T) {
	const elements = 20_000
	for name, c := range map[string]struct {
		kind, before, after string
		decode              func(*admissionv1.AdmissionRequest) error
	}{
		"findings of a report":       {"VendorReport", `{"findings":[`, `]}`, decodes[partialReport]},
		"resolved findings":          {"VendorReport", `{"resolved":[`, `]}`, decodes[partialReport]},
		"managed fields of a report": {"VendorReport", `{"metadata":{"managedFields":[`, `]}}`, decodes[partialReport]},
		"managed fields":             {"Namespace", `{"metadata":{"managedFields":[`, `]}}`, decodes[partialNamespace]},
		"owners":                     {"Namespace", `{"metadata":{"ownerReferences":[`, `]}}`, decodes[partialNamespace]},
		"restrictions":               {"RestrictedVendor", `{"spec":{"restrictions":[`, `]}}`, decodes[v1alpha1.RestrictedVendor]},
		"a vendor's managed fields":  {"RestrictedVendor", `{"metadata":{"managedFields":[`, `]}}`, decodes[v1alpha1.RestrictedVendor]},
		"a policy's mirrors":         {"VendorPolicy", `{"spec":{"mirrors":[`, `]}}`, decodes[v1alpha1.VendorPolicy]},
		"requirements of a selector": {"VendorWaiver", `{"spec":{"namespaceSelector":{"matchExpressions":[`, `]}}}`, decodes[v1alpha1.VendorWaiver]},
	} {
		for _, element := range []string{"{}", "null"} {
			t.Run(name+" "+element, func(t *testing.T) {
				request := &admissionv1.AdmissionRequest{}
				request.Kind.Kind = c.kind
				if c.kind != "Namespace" {
					request.Kind.Group = v1alpha1.GroupVersion.Group
				}
				request.Object.Raw = []byte(c.before + strings.Repeat(element+",", elements) + element + c.after)
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				require.NoError(t, c.decode(request))
				runtime.ReadMemStats(&after)
				// A list that grows leaves its former arrays to the garbage collector.
				const garbage = 4
				assert.Less(t, int(after.TotalAlloc-before.TotalAlloc), garbage*(decodingCost(request)+len(request.Object.Raw)))
			})
		}
	}
}

func decodes[T any](request *admissionv1.AdmissionRequest) error {
	_, _, err := decodeBoth[T](request)
	return err
}
