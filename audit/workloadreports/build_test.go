package workloadreports

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"embargo.dev/audit/exposure"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

var (
	effective = time.Date(2024, 7, 20, 4, 0, 0, 0, time.UTC)
	since     = time.Date(2024, 3, 1, 12, 30, 0, 0, time.UTC)
)

var deployment = exposure.Workload{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "mail", Name: "av", UID: "7d7a2b1c-0f1e-4b8b-9d57-0a4f2f3f9a11"}

// found is a finding on the Deployment, changed as is said.
func found(container string, change func(*exposure.Finding)) *exposure.Finding {
	f := &exposure.Finding{
		Finding: policies.Finding{
			Container: container, Image: "kaspersky/kesl:12", Vendor: "kaspersky", Restriction: "us-icts", Phase: "sales-prohibited",
			Effective: &effective, Action: v1alpha1.ActionWarn, Message: "in 71 days",
			Next: &policies.NextPhase{Phase: "updates-prohibited", On: "2024-09-29"},
		},
		Workload: deployment, Since: since,
	}
	if change != nil {
		change(f)
	}
	return f
}

// all is a finding of each kind.
func all() []*exposure.Finding {
	return []*exposure.Finding{
		found("late", func(f *exposure.Finding) { f.ArrivedAfterBan = true }),
		found("moved", func(f *exposure.Finding) { f.Action, f.Next = v1alpha1.ActionDeny, nil }),
		found("going-on", func(f *exposure.Finding) { f.Digests = []string{"sha256:aa", "sha256:bb"} }),
		found("noted", func(f *exposure.Finding) { f.Action = v1alpha1.ActionAudit }),
		found("excepted", func(f *exposure.Finding) { f.Action, f.Waiver = v1alpha1.ActionAudit, "replacing" }),
		found("unreadable", func(f *exposure.Finding) {
			f.Finding = policies.Finding{Container: "unreadable", Image: "UPPER", Action: v1alpha1.ActionWarn, Message: "image \"UPPER\" can't be read"}
		}),
	}
}

// banDate is what the vendors of these tests have.
func banDate(string, string) string { return "2024-07-20" }

func TestReportsAreOfEitherKind(t *testing.T) {
	w := newWriter(nil, nil, Options{BanDate: banDate})
	for file, a := range map[string]*api{"report.yaml": openReports, "policyreport.yaml": policyReports} {
		object, err := a.object(w.build("mail", all()))
		require.NoError(t, err)
		want, err := os.ReadFile("testdata/" + file)
		require.NoError(t, err)
		got, err := yaml.Marshal(object.Object)
		require.NoError(t, err)
		assert.YAMLEq(t, string(want), string(got), file)
	}
}

func TestWhatIsReadBackIsTheSame(t *testing.T) {
	w := newWriter(nil, nil, Options{BanDate: banDate})
	report := w.build("mail", all())
	for _, a := range apis {
		object, err := a.object(report)
		require.NoError(t, err)
		object.SetResourceVersion("7")
		object.SetLabels(map[string]string{managedByLabel: source, "added": "by somebody"})
		again, err := read(object)
		require.NoError(t, err)
		assert.Equal(t, fingerprint(report), fingerprint(again), "%s: what others add counts for nothing", a)
		again.Results[0].Description = "changed"
		assert.NotEqual(t, fingerprint(report), fingerprint(again))
	}
}

func TestTheSummaryCountsWhatIsNotListed(t *testing.T) {
	w := newWriter(nil, nil, Options{BanDate: banDate})
	var findings []*exposure.Finding
	for i := range 240 {
		findings = append(findings, found(fmt.Sprint("c", i), nil))
	}
	report := w.build("mail", findings)
	assert.Len(t, report.Results, maxResults)
	assert.Equal(t, 240, report.Summary.Warn)
	assert.Equal(t, "100 of 240", report.Annotations[shownAnnotation])
	ids := map[string]bool{}
	for _, r := range report.Results {
		ids[r.Properties["resultID"]] = true
	}
	assert.Len(t, ids, maxResults, "each result has an ID of its own")

	report = w.build("mail", findings[:100])
	assert.Equal(t, 100, report.Summary.Warn)
	assert.Empty(t, report.Annotations)
}

func TestReportsHaveNamesThatTheAPIServerTakes(t *testing.T) {
	assert.Equal(t, "embargo-"+string(deployment.UID), nameOf(deployment.UID))
	assert.Regexp(t, "^embargo-[0-9a-f]{32}$", nameOf("Any_Thing"))
	assert.NotEqual(t, nameOf("Any_Thing"), nameOf("Any_thing"))
}

func TestAResultKeepsItsIDWhenItChanges(t *testing.T) {
	before, after := found("c", nil), found("c", func(f *exposure.Finding) {
		f.Phase, f.Action, f.Digests, f.Next = "updates-prohibited", v1alpha1.ActionDeny, []string{"sha256:cc"}, nil
	})
	assert.Equal(t, resultID("mail", before), resultID("mail", after))
	assert.NotEqual(t, resultID("mail", before), resultID("post", before))
	assert.NotEqual(t, resultID("mail", before), resultID("mail", found("d", nil)))
}

// TestNothingDependsOnTheDay compares a finding with that of another day, whose message
// counts the days.
func TestNothingDependsOnTheDay(t *testing.T) {
	w := newWriter(nil, nil, Options{BanDate: banDate})
	tomorrow := found("c", func(f *exposure.Finding) { f.Message, f.EvaluatedAt = "in 70 days", effective })
	assert.Equal(t, fingerprint(w.build("mail", []*exposure.Finding{found("c", nil)})), fingerprint(w.build("mail", []*exposure.Finding{tomorrow})))
}

func TestTheAPIIsChosenFromWhatIsServed(t *testing.T) {
	both := []*api{policyReports, openReports}
	for setting, want := range map[Setting][4]*api{ // of both, OpenReports, PolicyReport, none served
		Auto:        {openReports, openReports, policyReports, nil},
		OpenReports: {openReports, openReports, nil, nil},
		WGPolicy:    {policyReports, nil, policyReports, nil},
		None:        {},
	} {
		for i, served := range [][]*api{both, both[1:], both[:1], nil} {
			assert.Same(t, want[i], choose(setting, served), "%s of %v", setting, served)
		}
	}
	for _, name := range []string{"reports.openreports.io", "policyreports.wgpolicyk8s.io", "v1alpha1.openreports.io", "v1alpha2.wgpolicyk8s.io"} {
		assert.True(t, concerns(name), name)
	}
	assert.False(t, concerns("clusterreports.openreports.io"))
}

// TestOddTextsBreakNoReport: the API server reads what is applied as YAML.
func TestOddTextsBreakNoReport(t *testing.T) {
	w := newWriter(nil, nil, Options{BanDate: banDate})
	for _, odd := range []string{"\x01", "\x7f", "\u0085", "\u2028", "\ufffe", "\uffff", "\U000e0001", `"`, `\`} {
		f := found("c"+odd, func(f *exposure.Finding) {
			f.Image, f.Vendor = "busybox"+odd, ""
			f.Message = "it can't be read"
		})
		vendors := found("c"+odd, func(f *exposure.Finding) { f.Image += odd })
		for _, a := range apis {
			object, err := a.object(w.build("mail", []*exposure.Finding{f, vendors}))
			require.NoError(t, err)
			text, err := yaml.Marshal(object.Object)
			require.NoError(t, err)
			var back map[string]any
			require.NoError(t, yaml.Unmarshal(text, &back))
			again, err := yaml.Marshal(back)
			require.NoError(t, err)
			assert.Equal(t, string(text), string(again))
		}
	}
	report := w.build("mail", []*exposure.Finding{found("c\x7f", func(f *exposure.Finding) { f.Image = "kaspersky/kesl\x7f" })})
	assert.Equal(t, `"kaspersky/kesl\u007f"`, report.Results[0].Properties["image"])
	assert.Equal(t, `c\u007f`, report.Results[0].Properties["container"])
	assert.Contains(t, report.Results[0].Description, `image "kaspersky/kesl\u007f" of "c\u007f" is of restricted vendor`)
}
