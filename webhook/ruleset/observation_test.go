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

// restricting is a vendor whose only restriction binds an audience.
func restricting(name, audience string) v1alpha1.RestrictedVendor {
	return v1alpha1.RestrictedVendor{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"is": name}}, Spec: v1alpha1.RestrictedVendorSpec{
		DisplayName: name, Images: v1alpha1.VendorImages{Repositories: []v1alpha1.RepositoryPattern{{Pattern: name + "/**"}}},
		Restrictions: []v1alpha1.Restriction{{
			Name: "r", Audience: audience, TimeZone: "UTC", Citations: []v1alpha1.Citation{{Title: "1"}},
			Schedule: []v1alpha1.Phase{{Phase: "p", Effective: "2020-01-01", Introduce: "Deny", Update: "Deny", Continue: "Warn"}},
		}},
	}}
}

func applying(name string, audiences ...string) v1alpha1.VendorPolicy {
	return v1alpha1.VendorPolicy{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.VendorPolicySpec{Audiences: audiences, Enforcement: "Deny"}}
}

// applied is a rule set whose policy "p" applies the restriction of the vendor "a".
func applied(t *testing.T) *policies.RuleSet {
	t.Helper()
	rules, problems := policies.Compile(policies.Source{
		Vendors: []v1alpha1.RestrictedVendor{restricting("a", "us-persons")}, Policies: []v1alpha1.VendorPolicy{applying("p", "us-persons")},
	})
	require.Empty(t, problems)
	return rules
}

// TestNothingInForceIsNeverGreen: though the API server asks about all workloads.
func TestNothingInForceIsNeverGreen(t *testing.T) {
	typo, other := applying("typo", "us-person"), applying("other", "us-persons")
	other.Spec.VendorSelector.MatchLabels = map[string]string{"is": "someone"}
	broken := applying("broken", "us-persons")
	broken.Spec.Enforcement = "Refuse"
	partly := applying("partly", "us-persons", "nobody")
	vendors := []v1alpha1.RestrictedVendor{restricting("a", "us-persons"), restricting("b", "uk-government")}
	for name, c := range map[string]struct {
		source          policies.Source
		policy, vendor  string
		enforced, ready string // reasons
		says            string
	}{
		"no vendors":        {policies.Source{Policies: []v1alpha1.VendorPolicy{partly}}, "partly", "", "NoVendors", "NoVendors", "catalog.vendors"},
		"no vendor chosen":  {policies.Source{Vendors: vendors, Policies: []v1alpha1.VendorPolicy{other}}, "other", "", "NoneSelected", "NoneSelected", "selects all: a, b"},
		"no such audience":  {policies.Source{Vendors: vendors, Policies: []v1alpha1.VendorPolicy{typo}}, "typo", "", "NoRestriction", "NoRestriction", "their audiences are uk-government, us-persons"},
		"one such audience": {policies.Source{Vendors: vendors, Policies: []v1alpha1.VendorPolicy{partly}}, "partly", "", "Registered", "IdleAudiences", "asks Embargo"},
		"not compiled":      {policies.Source{Vendors: vendors, Policies: []v1alpha1.VendorPolicy{broken}}, "broken", "", "DoesNotCompile", "DoesNotCompile", "doesn't compile"},
		"no policies":       {policies.Source{Vendors: vendors}, "", "b", "NoPolicy", "", "there is no VendorPolicy"},
		"not the vendor's":  {policies.Source{Vendors: vendors, Policies: []v1alpha1.VendorPolicy{applying("p", "us-persons")}}, "", "b", "Registered", "", "asks Embargo"},
		"the vendor's":      {policies.Source{Vendors: vendors, Policies: []v1alpha1.VendorPolicy{applying("p", "us-persons")}}, "p", "a", "Registered", "Ready", "asks Embargo"},
	} {
		t.Run(name, func(t *testing.T) {
			rules, problems := policies.Compile(c.source)
			o := observation{compiled: &Compiled{Rules: rules, Problems: problems, Source: c.source}, now: time.Now(),
				registration: registration.State{Outcome: registration.InPlace, RuleSet: rules.Digest(), Prefilter: "1 token"}}
			var conditions []metav1.Condition
			for i := range c.source.Vendors {
				if v := &c.source.Vendors[i]; v.Name == c.vendor {
					o.vendor(v)
					conditions = v.Status.Conditions
					assert.Equal(t, c.enforced, meta.FindStatusCondition(conditions, conditionEnforced).Reason)
					applied := meta.FindStatusCondition(conditions, conditionApplied)
					assert.Equal(t, v.Name == "a" && c.policy == "p", applied.Status == metav1.ConditionTrue, applied.Message)
				}
			}
			for i := range c.source.Policies {
				if p := &c.source.Policies[i]; p.Name == c.policy {
					o.policy(p)
					conditions = p.Status.Conditions
					assert.Equal(t, c.ready, meta.FindStatusCondition(conditions, conditionReady).Reason)
				}
			}
			got := meta.FindStatusCondition(conditions, conditionEnforced)
			require.NotNil(t, got)
			assert.Equal(t, c.enforced, got.Reason)
			assert.Contains(t, got.Message, c.says)
			assert.Equal(t, c.enforced == "Registered", got.Status == metav1.ConditionTrue)
		})
	}
}

// TestEnforcedIsOfAnObject: the configuration of before goes on covering what hasn't
// changed, so that one change is not a change of all statuses.
func TestEnforcedIsOfAnObject(t *testing.T) {
	rules := applied(t)
	const current, older, newer = int64(2), int64(1), int64(3)
	covering := registration.State{Outcome: registration.InPlace, RuleSet: rules.Digest()}
	behind := registration.State{Outcome: registration.InPlace, RuleSet: "an earlier one"}
	away := registration.State{Outcome: registration.Paused, Reason: "admission is paused"}
	begun := registration.State{Reason: "the leader has not looked yet"}
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
		"a new leader":                         {begun, metav1.ConditionTrue, current, metav1.ConditionTrue, "as it was"},
		"a new leader of what wasn't covered":  {begun, metav1.ConditionFalse, current, metav1.ConditionFalse, "as it was"},
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

func TestNobodyKnowsBeforeTheFirstLook(t *testing.T) {
	rules := applied(t)
	p := v1alpha1.VendorPolicy{ObjectMeta: metav1.ObjectMeta{Name: "p"}}
	o := observation{compiled: &Compiled{Rules: rules}, now: time.Now(), registration: registration.State{Reason: "the leader has not looked yet"}}
	o.policy(&p)
	for _, kind := range []string{conditionEnforced, conditionPrefiltered} {
		got := meta.FindStatusCondition(p.Status.Conditions, kind)
		require.NotNil(t, got, kind)
		assert.Equal(t, metav1.ConditionUnknown, got.Status, kind)
		assert.Equal(t, "the leader has not looked yet", got.Message, kind)
	}
}

// TestPrefilteredIsOfWhatIsInForce: a prefilter that was derived is not yet one that the
// API server has.
func TestPrefilteredIsOfWhatIsInForce(t *testing.T) {
	rules := applied(t)
	for message, c := range map[string]struct {
		state  registration.State
		want   metav1.ConditionStatus
		reason string
	}{
		"10 tokens":           {registration.State{Outcome: registration.InPlace, Prefilter: "10 tokens"}, metav1.ConditionTrue, "InForce"},
		"admission is paused": {registration.State{Outcome: registration.Paused, Prefilter: "10 tokens", Reason: "admission is paused"}, metav1.ConditionFalse, "NotRegistered"},
		"every request for a workload is sent, and admitted while Embargo is down: too broad": {registration.State{Outcome: registration.InPlace, Unfiltered: "too broad"}, metav1.ConditionFalse, "NoPrefilter"},
	} {
		var p v1alpha1.VendorPolicy
		o := observation{compiled: &Compiled{Rules: rules}, now: time.Now(), registration: c.state}
		o.policy(&p)
		got := meta.FindStatusCondition(p.Status.Conditions, conditionPrefiltered)
		require.NotNil(t, got, message)
		assert.Equal(t, c.want, got.Status, message)
		assert.Equal(t, c.reason, got.Reason, message)
		assert.Equal(t, message, got.Message)
	}
}

// TestColumnsNeverPassAVendorOffAsLookedFor checks that the columns show neither 0 workloads nor
// True for a vendor whose images can't be found.
func TestColumnsNeverPassAVendorOffAsLookedFor(t *testing.T) {
	faceless := restricting("a", "us-persons")
	faceless.Spec.Images = v1alpha1.VendorImages{}
	unreadable := restricting("a", "us-persons")
	unreadable.Spec.Images.Repositories[0].Pattern = "*/*"
	broken := restricting("a", "us-persons")
	broken.Spec.Restrictions[0].TimeZone = "Nowhere"
	partly := restricting("a", "us-persons")
	partly.Spec.Restrictions = append(partly.Spec.Restrictions, broken.Spec.Restrictions[0])
	whole := restricting("a", "us-persons")
	elsewhere := applying("p", "us-persons")
	elsewhere.Spec.VendorSelector.MatchLabels = map[string]string{"is": "b"}
	one := int32(1)
	for name, c := range map[string]struct {
		vendor          v1alpha1.RestrictedVendor
		policy          v1alpha1.VendorPolicy
		tally           *policies.Tally
		found, enforced string
		workloads       *int32
	}{
		"found":                       {whole, applying("p", "us-persons"), &policies.Tally{Vendors: map[string]policies.VendorTally{"a": {Workloads: 1, Namespaces: 1}}}, "1", "True", &one},
		"looked for":                  {whole, applying("p", "us-persons"), policies.NewTally(), "0", "True", new(int32)},
		"not looked yet":              {whole, applying("p", "us-persons"), nil, "", "True", nil},
		"no images":                   {faceless, applying("p", "us-persons"), policies.NewTally(), "NoImages", "NoImages", nil},
		"no pattern that compiles":    {unreadable, applying("p", "us-persons"), policies.NewTally(), "NoImages", "NoImages", nil},
		"no policy for its audience":  {whole, applying("p", "uk-government"), policies.NewTally(), "NotApplied", "NotApplied", nil},
		"no policy that selects it":   {whole, elsewhere, policies.NewTally(), "NotApplied", "NotApplied", nil},
		"no restriction compiles":     {broken, applying("p", "us-persons"), policies.NewTally(), "NoRestrictions", "NoRestrictions", nil},
		"some restriction compiles":   {partly, applying("p", "us-persons"), policies.NewTally(), "0", "Partly", new(int32)},
		"neither images nor a policy": {faceless, applying("p", "uk-government"), policies.NewTally(), "NoImages", "NoImages", nil},
	} {
		t.Run(name, func(t *testing.T) {
			source := policies.Source{Vendors: []v1alpha1.RestrictedVendor{c.vendor}, Policies: []v1alpha1.VendorPolicy{c.policy}}
			rules, problems := policies.Compile(source)
			o := observation{compiled: &Compiled{Rules: rules, Problems: problems, Source: source}, now: time.Now(), tally: c.tally,
				registration: registration.State{Outcome: registration.InPlace, RuleSet: rules.Digest()}}
			v := c.vendor
			o.vendor(&v)
			assert.Equal(t, c.found, v.Status.Summary.Found)
			assert.Equal(t, c.enforced, v.Status.Summary.Enforced)
			assert.Equal(t, c.workloads, v.Status.Summary.Workloads)
			assert.Equal(t, c.workloads == nil, v.Status.Summary.Namespaces == nil)

			o.registration = registration.State{Outcome: registration.Paused, Reason: "admission is paused"}
			o.vendor(&v)
			if c.enforced == "True" || c.enforced == "Partly" {
				assert.Equal(t, "NotRegistered", v.Status.Summary.Enforced)
			} else {
				assert.Equal(t, c.enforced, v.Status.Summary.Enforced)
			}
		})
	}
}

// TestAVendorThatIsNoLongerFoundHasNoCount: the count of before isn't kept.
func TestAVendorThatIsNoLongerFoundHasNoCount(t *testing.T) {
	source := policies.Source{Vendors: []v1alpha1.RestrictedVendor{restricting("a", "us-persons")}, Policies: []v1alpha1.VendorPolicy{applying("p", "us-persons")}}
	v := source.Vendors[0]
	for _, step := range []struct{ audience, found string }{{"us-persons", "3"}, {"uk-government", "NotApplied"}, {"us-persons", ""}} {
		source.Policies[0].Spec.Audiences = []string{step.audience}
		rules, _ := policies.Compile(source)
		o := observation{compiled: &Compiled{Rules: rules, Source: source}, now: time.Now()}
		if step.found == "3" {
			o.tally = &policies.Tally{Vendors: map[string]policies.VendorTally{"a": {Workloads: 3, Namespaces: 1}}}
		}
		o.vendor(&v)
		assert.Equal(t, step.found, v.Status.Summary.Found)
	}
}
