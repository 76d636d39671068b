package ruleset

import (
	"testing"

	"github.com/stretchr/testify/assert"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"embargo.dev/policies/v1alpha1"
)

// TestWhatCompilesToTheSame: a missed change would leave a rule out of force until the
// next one.
func TestWhatCompilesToTheSame(t *testing.T) {
	before := metav1.ObjectMeta{UID: "a", Generation: 1, Labels: map[string]string{"tier": "one"}, ResourceVersion: "1"}
	for name, c := range map[string]struct {
		change func(*metav1.ObjectMeta)
		same   bool
	}{
		"its status":            {func(m *metav1.ObjectMeta) { m.ResourceVersion = "2" }, true},
		"its annotations":       {func(m *metav1.ObjectMeta) { m.Annotations = map[string]string{"a": "b"} }, true},
		"its spec":              {func(m *metav1.ObjectMeta) { m.Generation = 2 }, false},
		"its labels":            {func(m *metav1.ObjectMeta) { m.Labels = nil }, false},
		"deleted and made anew": {func(m *metav1.ObjectMeta) { m.UID = "b" }, false},
	} {
		after := before.DeepCopy()
		c.change(after)
		assert.Equal(t, c.same, sameRules(&v1alpha1.RestrictedVendor{ObjectMeta: before}, &v1alpha1.RestrictedVendor{ObjectMeta: *after}), name)
	}
}
