package forecast_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"embargo.dev/audit/forecast"
	"embargo.dev/audit/inventory"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/policies/workload"
)

const agent = "registry.acme.example/agent:1"

// acme is a vendor with a phase for each step.
func acme() v1alpha1.RestrictedVendor {
	step := func(name, on string, introduce, update, goOn v1alpha1.Action) v1alpha1.Phase {
		return v1alpha1.Phase{Phase: name, Effective: on, Introduce: introduce, Update: update, Continue: goOn}
	}
	v := v1alpha1.RestrictedVendor{ObjectMeta: metav1.ObjectMeta{Name: "acme"}}
	v.Spec.DisplayName = "Acme"
	v.Spec.Images.Repositories = []v1alpha1.RepositoryPattern{{Pattern: "registry.acme.example/**"}}
	v.Spec.Restrictions = []v1alpha1.Restriction{{
		Name: "order", Authority: "the tests", Audience: "us-test", TimeZone: "America/New_York",
		Citations: []v1alpha1.Citation{{Title: "Order 1", URL: "https://example.com/1"}},
		Schedule: []v1alpha1.Phase{
			step("announced", "2030-01-01", v1alpha1.ActionWarn, v1alpha1.ActionAllow, v1alpha1.ActionAllow),
			step("sales", "2030-02-01", v1alpha1.ActionDeny, v1alpha1.ActionWarn, v1alpha1.ActionAllow),
			step("updates", "2030-03-01", v1alpha1.ActionDeny, v1alpha1.ActionDeny, v1alpha1.ActionWarn),
			step("use", "2030-04-01", v1alpha1.ActionDeny, v1alpha1.ActionDeny, v1alpha1.ActionDeny),
		},
	}}
	return v
}

func policy(name string, lead int32, ceiling v1alpha1.Action) v1alpha1.VendorPolicy {
	p := v1alpha1.VendorPolicy{ObjectMeta: metav1.ObjectMeta{Name: name}}
	p.Spec.Audiences, p.Spec.LeadTimeDays, p.Spec.Enforcement = []string{"us-test"}, lead, ceiling
	return p
}

func waiver(expires time.Time) v1alpha1.VendorWaiver {
	w := v1alpha1.VendorWaiver{ObjectMeta: metav1.ObjectMeta{Name: "for-mail"}}
	w.Spec.Vendor, w.Spec.Images, w.Spec.Expires = "acme", []string{agent}, metav1.NewTime(expires)
	w.Spec.NamespaceSelector = metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: "mail"}}
	w.Spec.Reason, w.Spec.ApprovedBy = "being replaced", "the security office"
	return w
}

// running has a Deployment with its ReplicaSet and Pods, and a Pod of nobody's, in the
// namespace mail.
func running() *inventory.Inventory {
	inv := inventory.New()
	kind := func(group, name string) *inventory.Kind {
		return &inventory.Kind{GroupVersionKind: schema.GroupVersionKind{Group: group, Version: "v1", Kind: name}}
	}
	deployments, sets, pods := kind(appsv1.GroupName, "Deployment"), kind(appsv1.GroupName, "ReplicaSet"), kind("", "Pod")
	put := func(k *inventory.Kind, name, path string, owner inventory.Owner) {
		s := &inventory.Seen{
			Namespace: "mail", Name: name, UID: types.UID(name), Owner: owner, Created: time.Date(2029, 5, 4, 0, 0, 0, 0, time.UTC),
			Images: []workload.Image{{Field: path + ".containers[0].image", Template: path, List: "containers", Name: "agent", Value: agent}},
		}
		if k == pods {
			s.Pod = &inventory.SeenPod{}
		}
		inv.Put(k, s, 1)
	}
	put(deployments, "av", "spec.template.spec", inventory.Owner{})
	put(sets, "av-1", "spec.template.spec", inventory.Owner{APIVersion: "apps/v1", Kind: "Deployment", Name: "av", UID: "av"})
	for i := range 3 {
		put(pods, fmt.Sprintf("av-1-%d", i), "spec", inventory.Owner{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "av-1", UID: "av-1"})
	}
	put(pods, "bare", "spec", inventory.Owner{})
	return inv
}

// forecastOf tells of the time from the end of 2029 until a date.
func forecastOf(t *testing.T, until string, source policies.Source) []string {
	t.Helper()
	source.Vendors = []v1alpha1.RestrictedVendor{acme()}
	rules, problems := policies.Compile(source)
	require.Empty(t, problems)
	inv := running()
	inv.Judge(func(b *inventory.Body, img *workload.Image) bool {
		return rules.Suspects(b.Kind, []workload.Image{*img})
	})
	f := &forecast.Forecaster{
		Rules: rules, Inventory: inv, Parts: []*inventory.Namespace{inv.Namespace("mail")},
		Namespace: func(name string) policies.Namespace { return policies.Namespace{Name: name, Known: true} },
	}
	from, err := policies.ParseInstant("2029-12-31")
	require.NoError(t, err)
	to, err := policies.ParseInstant(until)
	require.NoError(t, err)
	told := []string{}
	for _, transition := range f.Between(from, to) {
		for _, c := range transition.Causes {
			what := "waiver " + c.Waiver
			if c.Phase != nil {
				what = c.Phase.Phase.Phase
			}
			told = append(told, fmt.Sprintf("%s in %d: %s %v", transition.Instant.Format(time.DateOnly), c.Days, what, c.Policies))
		}
		for _, e := range transition.Affected {
			told = append(told, fmt.Sprintf("  %s: %v %v %v", e.Workload.Name, e.Running, e.Updated, e.Restarted))
			assert.Equal(t, map[string]v1alpha1.SinceFrom{"av": v1alpha1.SinceReplicaSet, "bare": v1alpha1.SincePod}[e.Workload.Name], e.From)
		}
	}
	return told
}

func TestEachPhaseTellsWhatItNewlyAffects(t *testing.T) {
	told := forecastOf(t, "2030-12-31", policies.Source{Policies: []v1alpha1.VendorPolicy{policy("all", 0, v1alpha1.ActionDeny)}})
	assert.Equal(t, []string{
		"2030-01-01 in 1: announced [all]",
		"  bare: {Allow Allow} {Allow Allow} {Allow Warn}",
		"2030-02-01 in 32: sales [all]",
		"  av: {Allow Allow} {Allow Warn} {Allow Allow}",
		"  bare: {Allow Allow} {Allow Warn} {Warn Deny}",
		"2030-03-01 in 60: updates [all]",
		"  av: {Allow Warn} {Warn Deny} {Allow Warn}",
		"  bare: {Allow Warn} {Warn Deny} {Deny Deny}",
		"2030-04-01 in 91: use [all]",
		"  av: {Warn Warn} {Deny Deny} {Warn Deny}",
	}, told, "what runs is never refused itself, and what a date leaves as it was isn't listed")
}

func TestAForecastEndsWithItsLastDay(t *testing.T) {
	source := policies.Source{Policies: []v1alpha1.VendorPolicy{policy("all", 0, v1alpha1.ActionDeny)}}
	assert.Empty(t, forecastOf(t, "2030-01-01T00:00:00Z", source), "in New York the day begins later")
	assert.Len(t, forecastOf(t, "2030-01-01", source), 2)
}

func TestAWaiverDelaysUntilItExpires(t *testing.T) {
	told := forecastOf(t, "2030-03-20", policies.Source{
		Policies: []v1alpha1.VendorPolicy{policy("all", 0, v1alpha1.ActionDeny)},
		Waivers:  []v1alpha1.VendorWaiver{waiver(time.Date(2030, 3, 15, 0, 0, 0, 0, time.UTC))},
	})
	assert.Equal(t, []string{
		"2030-01-01 in 1: announced [all]", "2030-02-01 in 32: sales [all]", "2030-03-01 in 60: updates [all]",
		"2030-03-15 in 74: waiver for-mail []",
		"  av: {Audit Warn} {Audit Deny} {Audit Warn}",
		"  bare: {Audit Warn} {Audit Deny} {Audit Deny}",
	}, told)
}

func TestALeadTimeBringsAPhaseForward(t *testing.T) {
	told := forecastOf(t, "2030-01-31", policies.Source{Policies: []v1alpha1.VendorPolicy{
		policy("early", 10, v1alpha1.ActionWarn), policy("plain", 0, v1alpha1.ActionDeny),
	}})
	assert.Equal(t, []string{
		"2030-01-01 in 1: announced [plain]",
		"2030-01-22 in 22: sales [early]",
		"  av: {Allow Allow} {Allow Warn} {Allow Allow}",
		"  bare: {Allow Allow} {Allow Warn} {Warn Warn}",
	}, told, "the early policy warned of announced before, and warns at most")
}
