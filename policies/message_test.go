package policies_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/policies"
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
