package catalog_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"embargo.dev/policies/catalog"
	"embargo.dev/policies/schedule"
	"embargo.dev/policies/v1alpha1"
)

// phases is a second account of the dates, typed as instants from the sources and
// not from the files. The last three letters are introduce, update and continue:
// Allow, Audit (a), Warn, Deny.
var phases = map[string][]string{
	"kaspersky/us-icts us-persons": {
		"announced 2024-06-20T04:00:00Z WWA Verified", "sales-prohibited 2024-07-20T04:00:00Z DWW Verified", "updates-prohibited 2024-09-29T04:00:00Z DDW Verified",
	},
	"kaspersky/us-bod-17-01 us-federal-civilian":        {"issued 2017-09-13T04:00:00Z WWA Verified", "removal 2017-12-12T05:00:00Z DDW Verified"},
	"kaspersky/us-ndaa-1634 us-federal":                 {"use-prohibited 2018-10-01T04:00:00Z DDW Verified"},
	"kaspersky/us-far-52-204-23 us-federal-contractors": {"use-prohibited 2018-10-01T04:00:00Z DDW Verified"},
	"kaspersky/us-fcc-covered-list us-fcc-funded":       {"listed 2022-03-25T04:00:00Z WWA Verified", "extended 2024-07-23T04:00:00Z WWA Verified"},
	"kaspersky/us-entity-list us-exporters":             {"listed 2024-06-24T04:00:00Z AAA Verified"},
	"kaspersky/au-pspf-002-2025 au-commonwealth":        {"directed 2025-02-20T13:00:00Z WWA Verified", "prohibited 2025-03-31T13:00:00Z DDW Verified"},
	"kaspersky/ca-tbs-2023 ca-federal":                  {"banned-on-mobile 2023-10-30T04:00:00Z WWA Verified"},
	"kaspersky/de-bsi-2022 de-advised":                  {"warning 2022-03-14T23:00:00Z WWA Verified"},
	"kaspersky/it-dl-21-2022 it-public-administration":  {"in-force 2022-03-21T23:00:00Z WWA Verified"},
	"kaspersky/lt-2017 lt-critical":                     {"decided 2017-12-20T22:00:00Z WWA Unverified"},
	"kaspersky/nl-2018 nl-government":                   {"decided 2018-05-13T22:00:00Z WWA Verified"},
	"kaspersky/uk-ncsc-2017 uk-government":              {"advised 2017-12-01T00:00:00Z WWA Unverified"},
}

func TestEveryPhaseIsAsTheSourcesSay(t *testing.T) {
	vendors, err := catalog.Vendors()
	require.NoError(t, err)
	got := map[string][]string{}
	for _, v := range vendors {
		for _, r := range v.Spec.Restrictions {
			s, errs := schedule.Compile(field.NewPath(v.Name), r.TimeZone, r.Schedule)
			require.Empty(t, errs)
			key := v.Name + "/" + r.Name + " " + r.Audience
			for _, p := range s.Phases() {
				letters := letter(p.Introduce) + letter(p.Update) + letter(p.Continue)
				got[key] = append(got[key], strings.Join([]string{p.Phase.Phase, p.Instant.Format(time.RFC3339), letters, string(p.Verification)}, " "))
			}
		}
	}
	assert.Equal(t, phases, got)
}

func letter(a v1alpha1.Action) string {
	return map[v1alpha1.Action]string{"Allow": "-", "Audit": "A", "Warn": "W", "Deny": "D"}[a]
}

func TestTheListIsFitToShip(t *testing.T) {
	vendors, err := catalog.Vendors()
	require.NoError(t, err)
	assert.Len(t, vendors, len(catalog.Names()))
	for i, v := range vendors {
		assert.Equal(t, catalog.Names()[i], v.Name)
		assert.Equal(t, "builtin", v.Labels["embargo.dev/list"], v.Name)
		for _, r := range v.Spec.Restrictions {
			assert.NotEmpty(t, r.Scope, "%s/%s says what it covers and leaves out", v.Name, r.Name)
			require.NotEmpty(t, r.Citations, "%s/%s", v.Name, r.Name)
			for _, c := range r.Citations {
				assert.True(t, strings.HasPrefix(c.URL, "https://"), c.URL)
			}
			for _, p := range r.Schedule {
				assert.NotEqual(t, v1alpha1.ActionDeny, p.Continue, "%s/%s: no default may stop a restart", v.Name, r.Name)
				assert.NotEmpty(t, p.Summary, "%s/%s %s", v.Name, r.Name, p.Phase)
				assert.LessOrEqual(t, len(p.Summary), 60, "%s/%s %s: a warning has no room for more", v.Name, r.Name, p.Phase)
			}
		}
	}
}

func TestDefaultPolicy(t *testing.T) {
	p := catalog.DefaultPolicy()
	assert.Equal(t, "default", p.Name)
	assert.Equal(t, []string{"us-persons"}, p.Spec.Audiences)
	assert.Equal(t, v1alpha1.ActionDeny, p.Spec.Enforcement)
}
