package ruleset

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/webhook/registration"
)

// TestEnforcedIsOfAnObject: the configuration of before goes on covering what hasn't
// changed, so that one change is not a change of all statuses.
func TestEnforcedIsOfAnObject(t *testing.T) {
	rules, problems := policies.Compile(policies.Source{})
	require.Empty(t, problems)
	const current, older, newer = int64(2), int64(1), int64(3)
	covering := registration.State{Registered: true, RuleSet: rules.Digest()}
	behind := registration.State{Registered: true, RuleSet: "an earlier one"}
	away := registration.State{Reason: "admission is paused"}
	for name, c := range map[string]struct {
		state  registration.State
		before metav1.ConditionStatus // of generation 2
		of     int64
		want   metav1.ConditionStatus
		reason string
	}{
		"covered":                              {covering, metav1.ConditionFalse, current, metav1.ConditionTrue, "the API server asks Embargo about workloads"},
		"others changed":                       {behind, metav1.ConditionTrue, current, metav1.ConditionTrue, "as it was"},
		"itself changed":                       {behind, metav1.ConditionTrue, newer, metav1.ConditionFalse, "the webhook configuration doesn't cover the latest rule set yet"},
		"others changed before it was covered": {behind, metav1.ConditionFalse, current, metav1.ConditionFalse, "the webhook configuration doesn't cover the latest rule set yet"},
		"changed back":                         {behind, metav1.ConditionTrue, older, metav1.ConditionFalse, "the webhook configuration doesn't cover the latest rule set yet"},
		"paused":                               {away, metav1.ConditionTrue, current, metav1.ConditionFalse, "admission is paused"},
	} {
		t.Run(name, func(t *testing.T) {
			v := v1alpha1.RestrictedVendor{ObjectMeta: metav1.ObjectMeta{Name: "a", Generation: c.of}}
			v.Status.Conditions = []metav1.Condition{{Type: conditionEnforced, Status: c.before, ObservedGeneration: current, Reason: "Before", Message: "as it was"}}
			o := observation{compiled: &Compiled{Rules: rules}, now: time.Now(), registration: c.state}
			o.vendor(&v)
			got := meta.FindStatusCondition(v.Status.Conditions, conditionEnforced)
			require.NotNil(t, got)
			assert.Equal(t, c.want, got.Status)
			assert.Equal(t, c.reason, got.Message)
		})
	}
}
