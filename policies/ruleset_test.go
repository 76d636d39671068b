package policies_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"embargo.dev/policies"
	"embargo.dev/policies/catalog"
	"embargo.dev/policies/schedule"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/policies/workload"
)

func source(t testing.TB) policies.Source {
	t.Helper()
	vendors, err := catalog.Vendors()
	require.NoError(t, err)
	return policies.Source{Vendors: vendors, Policies: []v1alpha1.VendorPolicy{catalog.DefaultPolicy()}}
}

// kaspersky is the vendor of which most is known.
func kaspersky(s *policies.Source) *v1alpha1.RestrictedVendor {
	return &s.Vendors[slices.IndexFunc(s.Vendors, func(v v1alpha1.RestrictedVendor) bool { return v.Name == "kaspersky" })]
}

func instant(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return at
}

func newPod(image string) policies.Request {
	kind := schema.GroupKind{Kind: "Pod"}
	return policies.Request{Operation: policies.Create, Kind: kind, Namespace: policies.Namespace{Name: "mail", Known: true},
		Object: workload.FromMap(kind, map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"name": "c", "image": image}}}})}
}

func waiver(name, expires string) v1alpha1.VendorWaiver {
	at, err := time.Parse(time.RFC3339, expires)
	if err != nil {
		panic(err)
	}
	return v1alpha1.VendorWaiver{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.VendorWaiverSpec{
		Vendor: "kaspersky", Images: []string{"kaspersky/**"}, Expires: metav1.NewTime(at), Reason: "r", ApprovedBy: "a",
		NamespaceSelector: metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": "mail"}},
	}}
}

func TestWhatCompilesIsInForceAndTheRestIsNamed(t *testing.T) {
	s := source(t)
	v := kaspersky(&s)
	v.Spec.Images.Repositories = append(v.Spec.Images.Repositories, v1alpha1.RepositoryPattern{Pattern: "*/*"})
	v.Spec.Images.Digests = []string{"sha256:short"}
	v.Spec.Images.Exclude = []string{"a b"}
	v.Spec.Images.Repositories = append(v.Spec.Images.Repositories, v1alpha1.RepositoryPattern{Pattern: "acme/x", Confidence: "Sure"})
	v.Spec.Restrictions[1].TimeZone = "America/Nowhere"
	v.Spec.Restrictions[2].Audience = ""
	s.Policies = append(s.Policies, v1alpha1.VendorPolicy{ObjectMeta: metav1.ObjectMeta{Name: "bad"}, Spec: v1alpha1.VendorPolicySpec{
		Audiences: []string{"us-persons"}, Enforcement: "Refuse", LeadTimeDays: 3651,
		Mirrors: []v1alpha1.Mirror{{Prefix: "x", Upstream: "docker.io"}, {Prefix: "harbor.example.com/k", Upstream: "repo.kcs.kaspersky.com"}},
	}})
	everywhere := waiver("everywhere", "2025-01-01T00:00:00Z")
	everywhere.Spec.NamespaceSelector = metav1.LabelSelector{}
	s.Waivers = []v1alpha1.VendorWaiver{everywhere}
	rules, problems := policies.Compile(s)
	var fields []string
	for _, p := range problems {
		fields = append(fields, p.Kind+"/"+p.Name+" "+p.Err.Field)
		assert.Contains(t, p.Error(), p.Err.Field)
	}
	assert.Equal(t, []string{
		"RestrictedVendor/kaspersky spec.images.repositories[9].pattern",
		"RestrictedVendor/kaspersky spec.images.repositories[10].confidence",
		"RestrictedVendor/kaspersky spec.images.exclude[0]",
		"RestrictedVendor/kaspersky spec.images.digests[0]",
		"RestrictedVendor/kaspersky spec.restrictions[1].timeZone",
		"RestrictedVendor/kaspersky spec.restrictions[2].audience",
		"VendorPolicy/bad spec.mirrors[0]",
		"VendorPolicy/bad spec.enforcement",
		"VendorPolicy/bad spec.leadTimeDays",
		"VendorWaiver/everywhere spec.namespaceSelector",
	}, fields)
	assert.Len(t, rules.Standings("kaspersky", time.Now()), len(v.Spec.Restrictions)-2)
	at := policies.At(instant(t, "2024-10-15T00:00:00Z"))
	assert.True(t, rules.Evaluate(newPod("kaspersky/scanengine_httpd"), at).Denied())
	assert.True(t, rules.Evaluate(newPod("harbor.example.com/k/x"), at).Denied(), "a mirror is a fact, whatever else is wrong with its policy")
}

func TestABanBeginsWhenNewImagesAreRefused(t *testing.T) {
	s := source(t)
	kaspersky(&s).Spec.Restrictions[1].Schedule[0].Introduce = v1alpha1.ActionDeny
	rules, _ := policies.Compile(s)
	assert.Equal(t, "2024-07-20", rules.BanDate("kaspersky", "us-icts"), "the first phase only warns")
	assert.Equal(t, "2017-09-13", rules.BanDate("kaspersky", "us-bod-17-01"))
	assert.Empty(t, rules.BanDate("kaspersky", "us-none"))
	assert.Empty(t, rules.BanDate("nobody", "us-icts"))
	assert.Empty(t, rules.BanDate("kaspersky", "us-fcc-covered-list"))
}

func TestTheDigestNamesTheContent(t *testing.T) {
	digest := func(change func(*policies.Source)) string {
		s := source(t)
		s.Waivers = []v1alpha1.VendorWaiver{waiver("b", "2025-04-01T00:00:00Z"), waiver("a", "2025-04-01T00:00:00Z")}
		if change != nil {
			change(&s)
		}
		rules, _ := policies.Compile(s)
		return rules.Digest()
	}
	want := digest(nil)
	assert.Regexp(t, "^sha256:[0-9a-f]{64}$", want)
	for label, change := range map[string]func(*policies.Source){
		"another order":       func(s *policies.Source) { slices.Reverse(s.Waivers) },
		"defaults written":    func(s *policies.Source) { s.Policies[0].Spec.Enforcement = "Deny" },
		"defaults left out":   func(s *policies.Source) { kaspersky(s).Spec.Images.Repositories[0].Confidence = "" },
		"what a cluster adds": func(s *policies.Source) { kaspersky(s).UID, kaspersky(s).ResourceVersion = "u", "7" },
		"status":              func(s *policies.Source) { kaspersky(s).Status.ObservedGeneration = 3 },
		"the same instant": func(s *policies.Source) {
			s.Waivers[0].Spec.Expires.Time = s.Waivers[0].Spec.Expires.In(time.FixedZone("x", 3600))
		},
	} {
		assert.Equal(t, want, digest(change), label)
	}
	for label, change := range map[string]func(*policies.Source){
		"a phase":     func(s *policies.Source) { kaspersky(s).Spec.Restrictions[0].Schedule[0].Effective = "2024-06-19" },
		"a label":     func(s *policies.Source) { kaspersky(s).Labels["x"] = "y" },
		"an audience": func(s *policies.Source) { s.Policies[0].Spec.Audiences = []string{"us-federal"} },
		"an expiry": func(s *policies.Source) {
			s.Waivers[0].Spec.Expires = metav1.NewTime(instant(t, "2025-04-02T00:00:00Z"))
		},
		"a name": func(s *policies.Source) { s.Waivers[0].Name = "c" },
	} {
		assert.NotEqual(t, want, digest(change), label)
	}
}

func TestTransitionsArePhasesUnderPoliciesAndExpiries(t *testing.T) {
	s := source(t)
	early := catalog.DefaultPolicy()
	early.Name, early.Spec.LeadTimeDays = "early", 30
	s.Policies = append(s.Policies, early)
	s.Waivers = []v1alpha1.VendorWaiver{waiver("w", "2024-09-01T00:00:00Z")}
	rules, problems := policies.Compile(s)
	require.Empty(t, problems)
	var got []string
	for at, ok := rules.NextTransition(instant(t, "2024-06-01T00:00:00Z")); ok; at, ok = rules.NextTransition(at) {
		got = append(got, at.Format(time.RFC3339))
	}
	assert.Equal(t, []string{
		"2024-06-20T04:00:00Z", // announced, and sales stop for who acts thirty days early
		"2024-07-20T04:00:00Z",
		"2024-08-30T04:00:00Z", // updates stop early
		"2024-09-01T00:00:00Z", // the waiver
		"2024-09-29T04:00:00Z",
	}, got)
}

func TestInstants(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	date, err := policies.ParseInstant("2024-09-29")
	require.NoError(t, err)
	assert.Equal(t, "2024-09-29", date.String())
	assert.Equal(t, instant(t, "2024-09-28T22:00:00Z"), date.In(berlin))
	assert.Equal(t, instant(t, "2024-09-29T00:00:00Z"), date.In(time.UTC))
	skipped, err := policies.ParseInstant("2011-12-30")
	require.NoError(t, err)
	apia, err := schedule.LoadZone("Pacific/Apia")
	require.NoError(t, err)
	assert.Equal(t, instant(t, "2011-12-30T10:00:00Z"), skipped.In(apia), "there the 31st followed on the 29th")
	moment, err := policies.ParseInstant("2024-09-29T06:00:00+02:00")
	require.NoError(t, err)
	assert.Equal(t, "2024-09-29T04:00:00Z", moment.String())
	assert.Equal(t, instant(t, "2024-09-29T04:00:00Z"), moment.In(berlin))
	for _, bad := range []string{"", "2024-02-30", "now", "2024-09-29T04:00"} {
		_, err := policies.ParseInstant(bad)
		require.Error(t, err, bad)
	}
}

func TestTheRestrictionOfTheStrongestActionStandsFirst(t *testing.T) {
	s := source(t)
	v := kaspersky(&s)
	restriction := func(name string, introduce, update, then v1alpha1.Action, next string) v1alpha1.Restriction {
		r := v.Spec.Restrictions[0]
		r.Name = name
		r.Schedule = []v1alpha1.Phase{{Phase: "now", Effective: "2024-01-01", Introduce: introduce, Update: update, Continue: then}}
		if next != "" {
			r.Schedule = append(r.Schedule, v1alpha1.Phase{Phase: "next", Effective: next, Introduce: "Deny", Update: "Deny", Continue: "Deny"})
		}
		return r
	}
	v.Spec.Restrictions = []v1alpha1.Restriction{
		restriction("warns", "Warn", "Warn", "Warn", "2025-01-01"),
		restriction("denies-later", "Deny", "Deny", "Warn", "2027-01-01"),
		restriction("denies", "Deny", "Audit", "Audit", "2026-01-01"),
		restriction("denies-for-good", "Deny", "Deny", "Deny", ""),
	}
	rules, problems := policies.Compile(s)
	require.Empty(t, problems)
	var names []string
	for _, standing := range rules.Standings("kaspersky", instant(t, "2024-10-15T00:00:00Z")) {
		names = append(names, standing.Restriction)
	}
	assert.Equal(t, []string{"denies", "denies-later", "denies-for-good", "warns"}, names)
}

// TestADenialStaysShort keeps it fit for the events that repeat it.
func TestADenialStaysShort(t *testing.T) {
	rules, _ := policies.Compile(source(t))
	request := newPod("nginx")
	for i := range 60 {
		request.Object.Images = append(request.Object.Images, workload.Image{
			Field: "spec.containers[" + strings.Repeat("1", i) + "].image", List: "containers", Name: strings.Repeat("n", i+1),
			Value: "kaspersky/scanengine_" + strings.Repeat("x", 200) + ":" + strings.Repeat("1", i+1),
		})
	}
	d := rules.Evaluate(request, policies.At(instant(t, "2024-10-15T00:00:00Z")))
	require.True(t, d.Denied())
	assert.LessOrEqual(t, len(d.Denial()), 800)
	assert.Contains(t, d.Denial(), "more")
	assert.Len(t, d.Findings, 60)
}

func TestOddObjects(t *testing.T) {
	s := source(t)
	assert.Empty(t, policies.OddVendorPolicy(&s.Policies[0], s.Vendors))
	w := waiver("w", "2025-01-01T00:00:00Z")
	assert.Empty(t, policies.OddVendorWaiver(&w, s.Vendors))
	w.Spec.Restrictions = []string{"us-icts", "us-none"}
	assert.Equal(t, []string{`spec.restrictions[1]: kaspersky has no restriction "us-none"`}, policies.OddVendorWaiver(&w, s.Vendors))
	w.Spec.Vendor = "acme"
	assert.Equal(t, []string{`spec.vendor: there is no RestrictedVendor "acme"`}, policies.OddVendorWaiver(&w, s.Vendors))
	w.Spec.NamespaceSelector = metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "env", Operator: metav1.LabelSelectorOpNotIn, Values: []string{"prod"}}}}
	assert.Contains(t, policies.OddVendorWaiver(&w, s.Vendors)[0], `spec.namespaceSelector selects every namespace that is not left out by "env notin (prod)", new ones too`)
	w.Spec.NamespaceSelector.MatchLabels = map[string]string{"team": "mail"}
	assert.Len(t, policies.OddVendorWaiver(&w, s.Vendors), 1, "a label that it must have brings a namespace in")
	v := kaspersky(&s)
	assert.Empty(t, policies.OddRestrictedVendor(v))
	v.Spec.Images.Repositories = []v1alpha1.RepositoryPattern{{Pattern: "nginx:1.25"}, {Pattern: "registry.example.com:5000"}}
	v.Spec.Images.Exclude = []string{"registry.example.com/x", "registry.example.com"}
	assert.Equal(t, []string{
		`spec.images.repositories[1].pattern: "registry.example.com:5000" is read as an image of Docker Hub's, docker.io/library/registry.example.com:5000; to mean all of a registry write registry.example.com:5000/**`,
		`spec.images.exclude[1]: "registry.example.com" is read as an image of Docker Hub's, docker.io/library/registry.example.com; to mean all of a registry write registry.example.com/**`,
	}, policies.OddRestrictedVendor(v))
}

func TestWaiversAreValidated(t *testing.T) {
	now := instant(t, "2025-01-01T00:00:00Z")
	fields := func(w, old *v1alpha1.VendorWaiver) []string {
		var list []string
		for _, err := range policies.ValidateVendorWaiver(w, old, now) {
			list = append(list, err.Field)
		}
		slices.Sort(list)
		return list
	}
	live, ended := waiver("w", "2025-01-01T00:00:01Z"), waiver("w", "2025-01-01T00:00:00Z")
	assert.Empty(t, fields(&live, nil))
	assert.Empty(t, policies.ExpiredVendorWaiver(&live, now))
	assert.Empty(t, fields(&ended, nil), "backups restore")
	assert.Equal(t, []string{"spec.expires: expired on 2025-01-01T00:00:00Z: it covers nothing"}, policies.ExpiredVendorWaiver(&ended, now),
		"it is live while now is before its end")
	assert.Equal(t, []string{"spec.expires"}, fields(&ended, &live))
	changed := *ended.DeepCopy()
	changed.Spec.Reason = "another"
	assert.Empty(t, fields(&changed, &ended), "whose end isn't changed may be changed")
	assert.Equal(t, []string{"spec.approvedBy", "spec.expires", "spec.images", "spec.namespaceSelector", "spec.reason", "spec.vendor"}, fields(&v1alpha1.VendorWaiver{}, nil))
}

func TestMirrorLoopsOverPoliciesAreRefused(t *testing.T) {
	one, other := catalog.DefaultPolicy(), catalog.DefaultPolicy()
	other.Name = "other"
	one.Spec.Mirrors = []v1alpha1.Mirror{{Prefix: "z.example.com", Upstream: "docker.io"}, {Prefix: "a.example.com", Upstream: "b.example.com"}}
	other.Spec.Mirrors = []v1alpha1.Mirror{{Prefix: "b.example.com", Upstream: "a.example.com"}}
	assert.Empty(t, policies.ValidateVendorPolicy(&one, nil))
	errs := policies.ValidateVendorPolicy(&one, []v1alpha1.VendorPolicy{one, other})
	require.Len(t, errs, 1)
	assert.Equal(t, "spec.mirrors[1]", errs[0].Field)
}

func BenchmarkEvaluate(b *testing.B) {
	rules, _ := policies.Compile(source(b))
	at := policies.At(instant(b, "2024-10-15T00:00:00Z"))
	for label, image := range map[string]string{"clean": "registry.k8s.io/pause:3.9", "denied": "kaspersky/scanengine_httpd:2.1"} {
		b.Run(label, func(b *testing.B) {
			request := newPod(image)
			b.ReportAllocs()
			for b.Loop() {
				rules.Evaluate(request, at)
			}
		})
	}
}
