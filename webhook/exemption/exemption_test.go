package exemption

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"pgregory.net/rapid"

	"embargo.dev/policies/v1alpha1"
	"embargo.dev/test/condition"
)

func init() {
	// Compiling takes longer than comparing: a few rule sets, and many namespaces for each.
	if err := flag.Set("rapid.checks", "15"); err != nil {
		panic(err)
	}
}

var (
	now       = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	creatable = []string{"embargo-system", "default", "kube-system"}
)

// rights are those of a user on policies and waivers, as RESOURCE/NAME, or as RESOURCE on
// all of them.
type rights []string

func (r rights) Authorize(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
	if a.GetVerb() == Verb && a.GetAPIGroup() == "embargo.dev" &&
		(slices.Contains(r, a.GetResource()) || slices.Contains(r, a.GetResource()+"/"+a.GetName())) {
		return authorizer.DecisionAllow, "", nil
	}
	return authorizer.DecisionNoOpinion, "", nil
}

func policyOf(name string, s metav1.LabelSelector) v1alpha1.VendorPolicy {
	return v1alpha1.VendorPolicy{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.VendorPolicySpec{NamespaceSelector: s}}
}

func waiverOf(name string, s metav1.LabelSelector) v1alpha1.VendorWaiver {
	return v1alpha1.VendorWaiver{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.VendorWaiverSpec{NamespaceSelector: s, Expires: metav1.NewTime(now.Add(time.Hour))}}
}

func equal(key, value string) metav1.LabelSelector {
	return metav1.LabelSelector{MatchLabels: map[string]string{key: value}}
}

func expression(key string, operator metav1.LabelSelectorOperator, values ...string) metav1.LabelSelector {
	return metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: key, Operator: operator, Values: values}}}
}

func namespace(name string, labels map[string]string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
}

// greatest costs of a condition and of an entry, for the log.
var greatest, greatestTotal int64

// entry is the conditions of an entry, compiled.
type entry []condition.Condition

func compile(t require.TestingT, conditions []Condition) entry {
	var e entry
	for _, c := range conditions {
		require.Less(t, len(c.Expression), 95_000)
		e = append(e, condition.Compile(t, c.Expression))
	}
	return e
}

// takes reports whether an entry takes a request, and insists on the budgets.
func (e entry) takes(t require.TestingT, r rights, now, before *corev1.Namespace) bool {
	request, object, old := &admissionv1.AdmissionRequest{Operation: admissionv1.Update}, runtime.Object(now), runtime.Object(before)
	if before == nil {
		request.Operation, old = admissionv1.Create, nil
	}
	all, total := len(e) > 0, int64(0)
	for _, c := range e {
		holds, cost := c.HoldsFor(t, r, request, object, old)
		all, total = all && holds, total+cost
		greatest = max(greatest, cost)
	}
	require.Less(t, total, int64(condition.PerEntry))
	greatestTotal = max(greatestTotal, total)
	return all
}

func metadata(ns *corev1.Namespace) *metav1.PartialObjectMetadata {
	if ns == nil {
		return nil
	}
	return &metav1.PartialObjectMetadata{ObjectMeta: ns.ObjectMeta}
}

var (
	keys   = []string{"env", "team", "example.com/tier", corev1.LabelMetadataName}
	values = []string{"", "a", "b", "c.d_e-f"}
)

func anySelector(t *rapid.T) metav1.LabelSelector {
	var s metav1.LabelSelector
	for range rapid.IntRange(0, 2).Draw(t, "labels") {
		if s.MatchLabels == nil {
			s.MatchLabels = map[string]string{}
		}
		s.MatchLabels[rapid.SampledFrom(keys).Draw(t, "key")] = rapid.SampledFrom(values).Draw(t, "value")
	}
	for range rapid.IntRange(0, 2).Draw(t, "expressions") {
		e := metav1.LabelSelectorRequirement{Key: rapid.SampledFrom(keys).Draw(t, "key")}
		e.Operator = rapid.SampledFrom([]metav1.LabelSelectorOperator{"In", "NotIn", "Exists", "DoesNotExist"}).Draw(t, "operator")
		if e.Operator == metav1.LabelSelectorOpIn || e.Operator == metav1.LabelSelectorOpNotIn {
			e.Values = rapid.SliceOfN(rapid.SampledFrom(values), 1, 3).Draw(t, "values")
		}
		s.MatchExpressions = append(s.MatchExpressions, e)
	}
	return s
}

func anyNamespace(t *rapid.T, name string) *corev1.Namespace {
	labels := rapid.MapOf(rapid.SampledFrom(keys[:3]), rapid.SampledFrom(values)).Draw(t, "labels")
	if rapid.Bool().Draw(t, "defaulted") {
		labels[corev1.LabelMetadataName] = name
	}
	return namespace(name, labels)
}

// TestConditionsAreWhatStepsSays compares what the API server takes with what Go finds,
// for random rules, labels and rights.
func TestConditionsAreWhatStepsSays(t *testing.T) {
	var sent, excluded, proved int
	rapid.Check(t, func(t *rapid.T) {
		var bound []v1alpha1.VendorPolicy
		var waivers []v1alpha1.VendorWaiver
		for i := range rapid.IntRange(0, 3).Draw(t, "policies") {
			bound = append(bound, policyOf(fmt.Sprint("p", i), anySelector(t)))
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "waivers") {
			waivers = append(waivers, waiverOf(fmt.Sprint("w.", i), anySelector(t)))
		}
		if rapid.Bool().Draw(t, "excluding") { // random selectors rarely only exclude
			waivers = append(waivers, waiverOf("w.excluding", expression("env", metav1.LabelSelectorOpNotIn, "a")))
		}
		rules := NewRules(bound, waivers, now)
		taken, exclusions := compile(t, rules.Conditions(creatable)), compile(t, rules.ExclusionConditions(creatable))
		for range 20 {
			name := rapid.SampledFrom([]string{"a", "b", "shop"}).Draw(t, "name")
			object, old := anyNamespace(t, name), anyNamespace(t, name)
			if rapid.Bool().Draw(t, "created") {
				old = nil
			}
			has := rights(rapid.SliceOf(rapid.SampledFrom([]string{Policies, Waivers, Policies + "/p0", Policies + "/p1", Waivers + "/w.0", Waivers + "/w.1", Waivers + "/w.2"})).Draw(t, "rights"))
			steps := rules.Steps(metadata(object), metadata(old))
			byExclusion := old == nil && !slices.ContainsFunc(steps, func(s Step) bool { return !rules.excludes(s) })
			want := !provable(has, steps)
			require.Equal(t, want && !byExclusion, taken.takes(t, has, object, old), "%v", steps)
			require.Equal(t, want && byExclusion, exclusions.takes(t, has, object, old), "%v", steps)
			switch {
			case !want && len(steps) > 0:
				proved++
			case want && byExclusion:
				excluded++
			case want:
				sent++
			}
		}
	})
	assert.Positive(t, min(sent, excluded, proved))
}

func (r *Rules) excludes(s Step) bool {
	return slices.ContainsFunc(r.rules, func(rule rule) bool {
		return rule.kind == exclusion && s == Step{Waivers, rule.name}
	})
}

// provable is what the conditions are to prove: of each kind the only right by its name,
// or those on all; or two by their names.
func provable(has rights, steps []Step) bool {
	byName := func(s Step) bool {
		return slices.Contains(has, s.Resource) || slices.Contains(has, s.Resource+"/"+s.Name)
	}
	if len(steps) == 2 && byName(steps[0]) && byName(steps[1]) {
		return true
	}
	for _, resource := range []string{Policies, Waivers} {
		of := slices.DeleteFunc(slices.Clone(steps), func(s Step) bool { return s.Resource != resource })
		if len(of) > 0 && !slices.Contains(has, resource) && (len(of) > 1 || !byName(of[0])) {
			return false
		}
	}
	return true
}

func TestRightsAreCheckedByTheAPIServer(t *testing.T) {
	prod, team := equal("env", "prod"), equal("team", "mail")
	rules := NewRules([]v1alpha1.VendorPolicy{policyOf("a", prod), policyOf("b", prod), policyOf("c", prod)}, []v1alpha1.VendorWaiver{waiverOf("w", team)}, now)
	taken := compile(t, rules.Conditions(creatable))
	in, out := namespace("shop", map[string]string{"env": "prod"}), namespace("shop", nil)
	both := namespace("shop", map[string]string{"team": "mail"})
	for name, c := range map[string]struct {
		now, before *corev1.Namespace
		rights      rights
		want        bool
	}{
		"no right":                              {out, in, nil, true},
		"rights on some":                        {out, in, rights{Policies + "/a", Policies + "/b"}, true},
		"names can't be checked for three":      {out, in, rights{Policies + "/a", Policies + "/b", Policies + "/c"}, true},
		"the right on all":                      {out, in, rights{Policies}, false},
		"the right on all of another kind":      {out, in, rights{Waivers}, true},
		"all policies, the waiver by its name":  {both, in, rights{Policies, Waivers + "/w"}, false},
		"all policies, not the waiver":          {both, in, rights{Policies}, true},
		"the way back":                          {in, out, nil, false},
		"nothing that a rule selects by":        {namespace("shop", map[string]string{"a": "b"}), out, nil, false},
		"a new one enters the waiver":           {both, nil, nil, true},
		"a new one, with the right":             {both, nil, rights{Waivers + "/w"}, false},
		"a new one leaves no policy":            {out, nil, nil, false},
		"it always has to be creatable":         {namespace("kube-system", both.Labels), nil, nil, false},
		"but it isn't left out of updates":      {namespace("kube-system", nil), namespace("kube-system", in.Labels), nil, true},
		"nor is one with a name that begins so": {namespace("kube-system-2", both.Labels), nil, nil, true},
	} {
		assert.Equal(t, c.want, taken.takes(t, c.rights, c.now, c.before), name)
	}
	leaving := out.DeepCopy()
	leaving.DeletionTimestamp = &metav1.Time{Time: now}
	assert.False(t, taken.takes(t, nil, leaving, in), "it is being deleted")
	assert.Nil(t, rules.ExclusionConditions(creatable))
}

// TestTwoRightsByName takes the two that the budget is enough for of one kind.
func TestTwoRightsByName(t *testing.T) {
	prod := equal("env", "prod")
	taken := compile(t, NewRules([]v1alpha1.VendorPolicy{policyOf("a", prod), policyOf("b", prod)}, nil, now).Conditions(creatable))
	in, out := namespace("shop", map[string]string{"env": "prod"}), namespace("shop", nil)
	assert.False(t, taken.takes(t, rights{Policies + "/a", Policies + "/b"}, out, in))
	assert.True(t, taken.takes(t, rights{Policies + "/a"}, out, in))
	assert.True(t, taken.takes(t, rights{Policies + "/b"}, out, in))
}

func TestAWaiverThatOnlyExcludesHasAnEntryOfItsOwn(t *testing.T) {
	for _, s := range []metav1.LabelSelector{expression("env", metav1.LabelSelectorOpNotIn, "prod"), expression("env", metav1.LabelSelectorOpDoesNotExist)} {
		rules := NewRules(nil, []v1alpha1.VendorWaiver{waiverOf("others", s), waiverOf("w", equal("team", "mail"))}, now)
		taken, exclusions := compile(t, rules.Conditions(creatable)), compile(t, rules.ExclusionConditions(creatable))
		plain, selected := namespace("shop", nil), namespace("shop", map[string]string{"team": "mail"})
		prod := namespace("shop", map[string]string{"env": "prod"})
		assert.False(t, taken.takes(t, nil, plain, nil))
		assert.True(t, exclusions.takes(t, nil, plain, nil))
		assert.False(t, exclusions.takes(t, rights{Waivers + "/others"}, plain, nil))
		assert.False(t, exclusions.takes(t, nil, namespace("embargo-system", nil), nil), "or nobody could install it again")
		assert.False(t, exclusions.takes(t, nil, prod, nil))
		assert.True(t, taken.takes(t, nil, selected, nil), "another waiver selects it too")
		assert.True(t, taken.takes(t, rights{Waivers + "/w"}, selected, nil), "it enters both")
		assert.False(t, exclusions.takes(t, nil, selected, nil))
		assert.True(t, taken.takes(t, nil, plain, prod), "an update is taken")
		assert.False(t, exclusions.takes(t, nil, plain, prod))
	}
}

func TestRulesThatNobodyCanLeaveOrEnterAreLeftOut(t *testing.T) {
	invalid, expired := equal("it's", "here"), waiverOf("expired", equal("env", "prod"))
	expired.Spec.Expires = metav1.NewTime(now)
	rules := NewRules(
		[]v1alpha1.VendorPolicy{policyOf("all", metav1.LabelSelector{}), policyOf("named", equal(corev1.LabelMetadataName, "shop")), policyOf("invalid", invalid)},
		[]v1alpha1.VendorWaiver{waiverOf("none", metav1.LabelSelector{}), waiverOf("invalid", invalid), expired}, now)
	assert.Nil(t, rules.Conditions(creatable))
	assert.Nil(t, rules.ExclusionConditions(creatable))
	assert.Zero(t, rules.NextExpiry())
	assert.Equal(t, now.Add(time.Hour), NewRules(nil, []v1alpha1.VendorWaiver{expired, waiverOf("w", equal("env", "prod"))}, now).NextExpiry())
}

// TestTheLargestExpressionsFitTheBudget has as many rules as are compared one by one.
func TestTheLargestExpressionsFitTheBudget(t *testing.T) {
	long := metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
		{Key: "a", Operator: metav1.LabelSelectorOpNotIn, Values: []string{"a", "b", "c", "d"}}, {Key: "b", Operator: metav1.LabelSelectorOpDoesNotExist}}}
	for name, s := range map[string]func(i int) metav1.LabelSelector{
		"named":   func(i int) metav1.LabelSelector { return equal(corev1.LabelMetadataName, fmt.Sprint("team-", i)) },
		"same":    func(int) metav1.LabelSelector { return equal("a", "b") },
		"exclude": func(int) metav1.LabelSelector { return long },
	} {
		var bound []v1alpha1.VendorPolicy
		var waivers []v1alpha1.VendorWaiver
		const step = 20
		for NewRules(bound, waivers, now).ChecksNames() {
			for range step {
				i := len(bound)
				bound, waivers = append(bound, policyOf(fmt.Sprint("policy-", i), s(i))), append(waivers, waiverOf(fmt.Sprint("waiver-", i), s(i)))
			}
		}
		rules := NewRules(bound[:len(bound)-step], waivers[:len(waivers)-step], now)
		require.True(t, rules.ChecksNames())
		begin := time.Now()
		taken, exclusions := compile(t, rules.Conditions(creatable)), compile(t, rules.ExclusionConditions(creatable))
		compiled := time.Since(begin)
		in, out := namespace("team-1", map[string]string{"a": "b"}), namespace("team-1", map[string]string{"b": "c"})
		for _, has := range []rights{nil, {Policies, Waivers}} {
			taken.takes(t, has, out, in)
			taken.takes(t, has, in, out)
			taken.takes(t, has, in, nil)
			exclusions.takes(t, has, out, nil)
		}
		t.Logf("%s: %d rules, compiled in %s, costs of up to %d in a condition and %d in all", name, len(rules.rules), compiled.Round(time.Millisecond), greatest, greatestTotal)
		greatest, greatestTotal = 0, 0
	}
}

// TestTooManyRulesTakeTheRightOnAll is past the bound of an expression.
func TestTooManyRulesTakeTheRightOnAll(t *testing.T) {
	many := func(s func(i int) metav1.LabelSelector) []v1alpha1.VendorWaiver {
		var waivers []v1alpha1.VendorWaiver
		for i := range 2000 {
			waivers = append(waivers, waiverOf(fmt.Sprint("waiver-of-a-team-", i), s(i)))
		}
		return waivers
	}
	some, none := namespace("n", map[string]string{"a": "b"}), namespace("n", nil)
	named := many(func(i int) metav1.LabelSelector { return equal(corev1.LabelMetadataName, fmt.Sprint("n", i)) })
	rules := NewRules(nil, named, now)
	require.False(t, rules.ChecksNames())
	taken := compile(t, rules.Conditions(creatable))
	assert.Nil(t, rules.ExclusionConditions(creatable))
	assert.True(t, taken.takes(t, nil, none, nil))
	assert.False(t, taken.takes(t, nil, namespace("default", nil), nil))
	assert.False(t, taken.takes(t, rights{Waivers}, none, nil), "a new one leaves no policy")
	assert.True(t, taken.takes(t, nil, some, none))
	assert.True(t, taken.takes(t, nil, none, some))
	assert.False(t, taken.takes(t, nil, some, some))
	assert.False(t, taken.takes(t, nil, none, none))
	assert.True(t, taken.takes(t, rights{Waivers}, some, none))
	assert.False(t, taken.takes(t, rights{Policies, Waivers}, some, none))

	excluding := many(func(i int) metav1.LabelSelector {
		return expression("team", metav1.LabelSelectorOpNotIn, fmt.Sprint("t", i))
	})
	rules = NewRules(nil, excluding, now)
	taken, exclusions := compile(t, rules.Conditions(creatable)), compile(t, rules.ExclusionConditions(creatable))
	assert.False(t, taken.takes(t, nil, none, nil))
	assert.True(t, exclusions.takes(t, nil, none, nil))
	assert.False(t, exclusions.takes(t, nil, namespace("embargo-system", nil), nil))
	assert.False(t, exclusions.takes(t, rights{Waivers}, none, nil))
	assert.Nil(t, NewRules(nil, append(excluding, named[0]), now).ExclusionConditions(creatable), "the other entry takes every new one")
}

// TestConditionsCompileInTheOldestSupportedVersion is about functions that came later.
func TestConditionsCompileInTheOldestSupportedVersion(t *testing.T) {
	rules := NewRules([]v1alpha1.VendorPolicy{policyOf("a", equal("env", "prod"))}, []v1alpha1.VendorWaiver{waiverOf("w", expression("env", metav1.LabelSelectorOpNotIn, "prod", "test"))}, now)
	for _, c := range append(rules.Conditions(creatable), rules.ExclusionConditions(creatable)...) {
		condition.CompileFor(t, version.MajorMinor(1, 30), c.Expression)
	}
}
