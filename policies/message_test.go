package policies_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/policies/workload"
)

// TestADenialStaysShortWhateverIsWritten has everything as long as the API takes it.
func TestADenialStaysShortWhateverIsWritten(t *testing.T) {
	for _, letter := range []string{"x", "ж"} {
		s := source(t)
		v := kaspersky(&s)
		v.Spec.DisplayName, v.Spec.Replacement = strings.Repeat(letter, 100), strings.Repeat(letter, 500)
		r := &v.Spec.Restrictions[0]
		r.Citations[0].Title = strings.Repeat(letter, 200)
		r.Schedule[2].Summary = strings.Repeat(letter, 200)
		s.Waivers = append(s.Waivers, waiver(strings.Repeat("w", 253), "2024-01-01T00:00:00Z"))
		s.Policies[0].Spec.LeadTimeDays = 3650
		rules, problems := policies.Compile(s)
		require.Empty(t, problems)
		request := newPod("nginx")
		for i := range 60 {
			request.Object.Images = append(request.Object.Images, workload.Image{
				Field: "f", List: "containers", Name: strings.Repeat("n", 63), Value: "kaspersky/scanengine_" + strings.Repeat("x", 200+i/20),
			})
		}
		denial := rules.Evaluate(request, policies.At(instant(t, "2024-06-01T00:00:00Z"))).Denial()
		assert.LessOrEqual(t, len(denial), 800)
		assert.True(t, utf8.ValidString(denial))
		assert.Contains(t, denial, `container "nnn`)
		assert.Contains(t, denial, "; and 2 more. Replacement: ")
		assert.True(t, strings.HasSuffix(denial, "An exception needs a VendorWaiver for this namespace (kubectl explain vendorwaiver.spec)"), denial)
	}
}

func TestOneWarningTellsOfAllImagesOfARestriction(t *testing.T) {
	rules, _ := policies.Compile(source(t))
	request := newPod("kaspersky/scanengine_httpd:2.1")
	for _, image := range []string{"kaspersky/scanengine_icapd:2.1", "kaspersky/scanengine_httpd:2.1", "kaspersky/scanengine_x:2.1", "ghcr.io/kaspersky/a", "ghcr.io/kaspersky/b"} {
		request.Object.Images = append(request.Object.Images, workload.Image{Field: "f", List: "containers", Name: image[len(image)-1:], Value: image})
	}
	announced := policies.At(instant(t, "2024-07-01T12:00:00Z"))
	assert.Equal(t, []string{
		`container "c", container "1", container "1" and 1 more: Kaspersky images "kaspersky/scanengine_httpd:2.1", "kaspersky/scanengine_icapd:2.1" and 1 more: ban announced (2024-06-20); will be refused from 2024-07-20 (19 days)`,
		`container "a", container "b": images "ghcr.io/kaspersky/a", "ghcr.io/kaspersky/b" look like Kaspersky's: ban announced (2024-06-20)`,
	}, rules.Evaluate(request, announced).Warnings())
}

func TestADenialNamesEachImage(t *testing.T) {
	rules, _ := policies.Compile(source(t))
	request := newPod("kaspersky/scanengine_httpd:2.1")
	request.Object.Images = append(request.Object.Images, workload.Image{Field: "f", List: "volumes", Name: "db", Value: "kaspersky/scanengine_icapd:2.1"})
	denial := rules.Evaluate(request, policies.At(instant(t, "2024-10-15T00:00:00Z"))).Denial()
	assert.Contains(t, denial, `container "c": Kaspersky image "kaspersky/scanengine_httpd:2.1": refused by cluster policy: `)
	assert.Contains(t, denial, `; volume "db": Kaspersky image "kaspersky/scanengine_icapd:2.1": refused by cluster policy: `)
}

// TestADenialMentionsWaiversOfOtherTags: somebody has a waiver and wonders why it doesn't count.
func TestADenialMentionsWaiversOfOtherTags(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("a", 64)
	for name, c := range map[string]struct {
		pattern string
		image   string
		says    string
	}{
		"another tag":         {"kaspersky/scanengine_httpd:2.1", "kaspersky/scanengine_httpd:2.2", `; waiver "w" covers "kaspersky/scanengine_httpd:2.1" until 2025-01-01, but not "kaspersky/scanengine_httpd:2.2". `},
		"a digest":            {"kaspersky/scanengine_httpd" + digest, "kaspersky/scanengine_httpd:2.2", `but not "kaspersky/scanengine_httpd:2.2". `},
		"a glob of tags":      {"kaspersky/scanengine_*:1.*", "kaspersky/scanengine_httpd:2.2", `covers "kaspersky/scanengine_*:1.*" until `},
		"behind a mirror":     {"kaspersky/scanengine_httpd:2.1", "mirror.gcr.io/kaspersky/scanengine_httpd:2.2", `but not "mirror.gcr.io/kaspersky/scanengine_httpd:2.2". `},
		"another repository":  {"kaspersky/scanengine_icapd:2.1", "kaspersky/scanengine_httpd:2.1", ""},
		"this tag is covered": {"kaspersky/scanengine_httpd:2.1", "kaspersky/scanengine_httpd:2.1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := source(t)
			w := waiver("w", "2025-01-01T00:00:00Z")
			w.Spec.Images = []string{c.pattern}
			s.Waivers = []v1alpha1.VendorWaiver{w}
			rules, problems := policies.Compile(s)
			require.Empty(t, problems)
			d := rules.Evaluate(newPod(c.image), policies.At(instant(t, "2024-10-15T12:00:00Z")))
			if c.says == "" {
				assert.NotContains(t, d.Denial(), "but not")
				return
			}
			require.True(t, d.Denied())
			assert.Contains(t, d.Denial(), c.says)
			assert.Contains(t, d.Findings[0].Message, strings.TrimSuffix(c.says, ". "))
		})
	}
}

func TestAWaiverThatGrantsNothingHereIsNotMentioned(t *testing.T) {
	for name, change := range map[string]func(*v1alpha1.VendorWaiver){
		"expired": func(w *v1alpha1.VendorWaiver) { w.Spec.Expires.Time = instant(t, "2024-10-15T12:00:00Z") },
		"another namespace": func(w *v1alpha1.VendorWaiver) {
			w.Spec.NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"] = "web"
		},
		"another vendor":      func(w *v1alpha1.VendorWaiver) { w.Spec.Vendor = "huawei" },
		"another restriction": func(w *v1alpha1.VendorWaiver) { w.Spec.Restrictions = []string{"us-bod-17-01"} },
	} {
		s := source(t)
		w := waiver("w", "2025-01-01T00:00:00Z")
		w.Spec.Images = []string{"kaspersky/scanengine_httpd:2.1"}
		change(&w)
		s.Waivers = []v1alpha1.VendorWaiver{w}
		rules, _ := policies.Compile(s)
		d := rules.Evaluate(newPod("kaspersky/scanengine_httpd:2.2"), policies.At(instant(t, "2024-10-15T12:00:00Z")))
		require.True(t, d.Denied(), name)
		assert.NotContains(t, d.Denial(), "but not", name)
	}
}

// TestMentionedWaiversTakeNoRoomFromVendors: what doesn't fit is the mention.
func TestMentionedWaiversTakeNoRoomFromVendors(t *testing.T) {
	s := source(t)
	without, _ := policies.Compile(s)
	w := waiver(strings.Repeat("w", 253), "2025-01-01T00:00:00Z")
	w.Spec.Images = []string{"kaspersky/*:0"}
	s.Waivers = []v1alpha1.VendorWaiver{w}
	with, problems := policies.Compile(s)
	require.Empty(t, problems)
	request := newPod("kaspersky/scanengine_httpd:2.1")
	for i := range 6 {
		request.Object.Images = append(request.Object.Images, workload.Image{Field: "f", List: "containers", Name: "n", Value: "kaspersky/scanengine_" + strings.Repeat("x", i)})
		at := policies.At(instant(t, "2024-10-15T12:00:00Z"))
		denial := with.Evaluate(request, at).Denial()
		assert.LessOrEqual(t, len(denial), 800)
		told, _, _ := strings.Cut(without.Evaluate(request, at).Denial(), ". ")
		assert.True(t, strings.HasPrefix(denial, told), denial)
	}
}

func TestReasonsHavePhaseAndNextDate(t *testing.T) {
	for name, c := range map[string]struct {
		image, at string
		change    func(*policies.Source)
		want      string
	}{
		"refused later":      {"kaspersky/scanengine_httpd:2.1", "2024-07-01T12:00:00Z", nil, "announced since 2024-06-20; refused from 2024-07-20, 19 days"},
		"refused tomorrow":   {"kaspersky/scanengine_httpd:2.1", "2024-07-19T12:00:00Z", nil, "announced since 2024-06-20; refused from 2024-07-20 00:00 EDT, 16 hours"},
		"refused, more next": {"kaspersky/scanengine_httpd:2.1", "2024-08-01T12:00:00Z", nil, "sales-prohibited since 2024-07-20; next updates-prohibited from 2024-09-29, 59 days"},
		"begun today":        {"kaspersky/scanengine_httpd:2.1", "2024-09-29T05:00:00Z", nil, "updates-prohibited since 2024-09-29 00:00 EDT"},
		"nothing next":       {"kaspersky/scanengine_httpd:2.1", "2024-10-15T12:00:00Z", nil, "updates-prohibited since 2024-09-29"},
		"suspected":          {"ghcr.io/kaspersky/x", "2024-10-15T12:00:00Z", nil, "suspected; updates-prohibited since 2024-09-29"},
		"waived": {"kaspersky/scanengine_httpd:2.1", "2024-10-15T12:00:00Z", func(s *policies.Source) {
			s.Waivers = []v1alpha1.VendorWaiver{waiver("w", "2024-10-16T18:00:00Z")}
		}, "updates-prohibited since 2024-09-29; waiver w until 2024-10-16 18:00 UTC (30 hours left)"},
		"waiver expired": {"kaspersky/scanengine_httpd:2.1", "2024-10-15T12:00:00Z", func(s *policies.Source) {
			s.Waivers = []v1alpha1.VendorWaiver{waiver("w", "2024-10-15T06:00:00Z")}
		}, "updates-prohibited since 2024-09-29; waiver w expired on 2024-10-15 06:00 UTC"},
		"early": {"kaspersky/scanengine_httpd:2.1", "2024-09-27T12:00:00Z", func(s *policies.Source) {
			s.Policies[0].Spec.LeadTimeDays = 30
		}, "updates-prohibited from 2024-09-29 00:00 EDT (40 hours left), 30 days early"},
		"unreadable": {"Acme/app", "2024-10-15T12:00:00Z", nil, "an upper-case name without a dot or a port is neither a registry's host nor a repository; write it in lower case"},
	} {
		s := source(t)
		if c.change != nil {
			c.change(&s)
		}
		rules, problems := policies.Compile(s)
		require.Empty(t, problems)
		d := rules.Evaluate(newPod(c.image), policies.At(instant(t, c.at)))
		require.NotEmpty(t, d.Findings, name)
		if name == "early" {
			assert.Contains(t, d.Denial(), "prohibited from 2024-09-29 00:00 EDT (40 hours left): ")
		}
		assert.Equal(t, c.want, d.Findings[0].Reason(), name)
	}
}
