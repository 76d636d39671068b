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

// phases is a second account of the dates and of where they were read, typed as instants
// from the sources and not from the files. The three letters are introduce, update and
// continue: Allow (-), Audit, Warn, Deny.
var phases = map[string][]string{
	"kaspersky/us-icts us-persons": {
		"announced 2024-06-20T04:00:00Z WWA Verified", "sales-prohibited 2024-07-20T04:00:00Z DWW Verified", "updates-prohibited 2024-09-29T04:00:00Z DDW Verified",
	},
	"kaspersky/us-bod-17-01 us-federal-civilian":        {"issued 2017-09-13T04:00:00Z WWA Verified", "removal 2017-12-12T05:00:00Z DDW Verified"},
	"kaspersky/us-ndaa-1634 us-federal":                 {"use-prohibited 2018-10-01T04:00:00Z DDW Verified"},
	"kaspersky/us-far-52-204-23 us-federal-contractors": {"use-prohibited 2018-10-01T04:00:00Z DDW Verified"},
	"kaspersky/us-fcc-covered-list us-fcc-funded":       {"listed 2022-03-25T04:00:00Z WWA Verified", "extended 2024-07-23T04:00:00Z WWA Verified"},
	"kaspersky/us-entity-list us-exporters":             {"listed 2024-06-24T04:00:00Z AAA Verified"},
	"kaspersky/au-pspf-002-2025 au-commonwealth":        {"directed 2025-02-16T13:00:00Z DWA Reported", "prohibited 2025-03-31T13:00:00Z DDW Reported"},
	"kaspersky/ca-tbs-2023 ca-federal":                  {"banned-on-mobile 2023-10-30T04:00:00Z WWA Reported"},
	"kaspersky/de-bsi-2022 de-advised":                  {"warning 2022-03-14T23:00:00Z WWA Reported"},
	"kaspersky/it-dl-21-2022 it-public-administration": {
		"in-force 2022-03-21T23:00:00Z WWA Reported", "circular-2022 2022-04-25T22:00:00Z WWA Verified", "circular-2025 2025-11-21T23:00:00Z WWA Reported",
	},
	"kaspersky/lt-2017 lt-critical":        {"decided 2017-12-19T22:00:00Z WWA Verified"},
	"kaspersky/nl-2018 nl-government":      {"decided 2018-05-13T22:00:00Z WWA Verified"},
	"kaspersky/uk-ncsc-2017 uk-government": {"advised 2017-12-01T00:00:00Z WWA Verified"},

	"huawei/us-889-a us-federal":                         {"procurement-prohibited 2019-08-13T04:00:00Z WWA Verified"},
	"huawei/us-889-a-contractors us-federal-contractors": {"provision-prohibited 2019-08-13T04:00:00Z WWA Verified"},
	"huawei/us-889-b us-federal-contractors":             {"use-prohibited 2020-08-13T04:00:00Z WWA Verified"},
	"huawei/us-fcc-covered-list us-fcc-funded":           {"listed 2021-03-12T05:00:00Z WWA Verified"},
	"huawei/us-entity-list us-exporters":                 {"listed 2019-05-16T04:00:00Z AAA Verified", "extended-2019 2019-08-19T04:00:00Z AAA Verified", "extended-2020 2020-08-17T04:00:00Z AAA Verified"},
	"huawei/us-dod-805 us-dod":                           {"direct-contracts 2026-06-30T04:00:00Z WWA Reported", "end-items 2027-06-30T04:00:00Z WWA Reported"},

	"zte/us-889-a us-federal":                         {"procurement-prohibited 2019-08-13T04:00:00Z WWA Verified"},
	"zte/us-889-a-contractors us-federal-contractors": {"provision-prohibited 2019-08-13T04:00:00Z WWA Verified"},
	"zte/us-889-b us-federal-contractors":             {"use-prohibited 2020-08-13T04:00:00Z WWA Verified"},
	"zte/us-fcc-covered-list us-fcc-funded":           {"listed 2021-03-12T05:00:00Z WWA Verified"},
	"zte/us-denial-order us-exporters":                {"denied 2018-04-15T04:00:00Z AAA Reported", "lifted 2018-07-13T04:00:00Z --- Unverified Relaxes"},

	"hytera/us-889-a us-federal":                         {"procurement-prohibited 2019-08-13T04:00:00Z WWA Verified"},
	"hytera/us-889-a-contractors us-federal-contractors": {"provision-prohibited 2019-08-13T04:00:00Z WWA Verified"},
	"hytera/us-889-b us-federal-contractors":             {"use-prohibited 2020-08-13T04:00:00Z WWA Verified"},
	"hytera/us-fcc-covered-list us-fcc-funded":           {"listed 2021-03-12T05:00:00Z WWA Verified"},

	"hikvision/us-889-a us-federal":                         {"procurement-prohibited 2019-08-13T04:00:00Z WWA Verified"},
	"hikvision/us-889-a-contractors us-federal-contractors": {"provision-prohibited 2019-08-13T04:00:00Z WWA Verified"},
	"hikvision/us-889-b us-federal-contractors":             {"use-prohibited 2020-08-13T04:00:00Z WWA Verified"},
	"hikvision/us-fcc-covered-list us-fcc-funded":           {"listed 2021-03-12T05:00:00Z WWA Verified"},
	"hikvision/us-entity-list us-exporters":                 {"listed 2019-10-09T04:00:00Z AAA Reported"},
	"hikvision/us-dod-805 us-dod":                           {"direct-contracts 2026-06-30T04:00:00Z WWA Reported", "end-items 2027-06-30T04:00:00Z WWA Reported"},

	"dahua/us-889-a us-federal":                         {"procurement-prohibited 2019-08-13T04:00:00Z WWA Verified"},
	"dahua/us-889-a-contractors us-federal-contractors": {"provision-prohibited 2019-08-13T04:00:00Z WWA Verified"},
	"dahua/us-889-b us-federal-contractors":             {"use-prohibited 2020-08-13T04:00:00Z WWA Verified"},
	"dahua/us-fcc-covered-list us-fcc-funded":           {"listed 2021-03-12T05:00:00Z WWA Verified"},
	"dahua/us-entity-list us-exporters":                 {"listed 2019-10-09T04:00:00Z AAA Reported"},
	"dahua/us-dod-805 us-dod":                           {"direct-contracts 2026-06-30T04:00:00Z WWA Reported", "end-items 2027-06-30T04:00:00Z WWA Reported"},

	"tencent/us-dod-805 us-dod": {"direct-contracts 2026-06-30T04:00:00Z WWA Reported", "end-items 2027-06-30T04:00:00Z WWA Reported"},
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
				account := strings.Join([]string{p.Phase.Phase, p.Instant.Format(time.RFC3339), letters, string(p.Verification), string(p.Change)}, " ")
				got[key] = append(got[key], strings.TrimSpace(account))
			}
		}
	}
	assert.Equal(t, phases, got)
}

func letter(a v1alpha1.Action) string {
	return map[v1alpha1.Action]string{"Allow": "-", "Audit": "A", "Warn": "W", "Deny": "D"}[a]
}
