package ruleset

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"embargo.dev/policies"
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

// TestTheNextTransitionIsToldOnEveryReplica: the metric follows by the clock, without any
// change of a rule and without leading.
func TestTheNextTransitionIsToldOnEveryReplica(t *testing.T) {
	waiver := func(name string, expires time.Time) v1alpha1.VendorWaiver {
		return v1alpha1.VendorWaiver{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.VendorWaiverSpec{
			Vendor: "acme", Images: []string{"acme/agent"}, Expires: metav1.NewTime(expires),
			NamespaceSelector: metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}},
		}}
	}
	soon, later := time.Now().Add(300*time.Millisecond), time.Now().Add(time.Hour)
	source := policies.Source{Waivers: []v1alpha1.VendorWaiver{waiver("soon", soon), waiver("later", later)}}
	rules, problems := policies.Compile(source)
	require.Empty(t, problems)
	k := NewKeeper(nil)
	k.compiled.Store(&Compiled{Rules: rules, Source: source})
	record(rules, problems, time.Now())
	assert.InDelta(t, soon.Unix(), toldTransition(t), 1)
	go k.await(t.Context())
	require.Eventually(t, func() bool { return toldTransition(t) == float64(later.Unix()) }, 5*time.Second, 20*time.Millisecond)
}

// toldTransition is the metric's value.
func toldTransition(t *testing.T) float64 {
	t.Helper()
	families, err := metrics.Registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		if family.GetName() == "embargo_next_transition_timestamp_seconds" {
			return family.GetMetric()[0].GetGauge().GetValue()
		}
	}
	return -1
}
