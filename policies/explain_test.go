package policies_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"embargo.dev/policies"
	"embargo.dev/policies/catalog"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/policies/workload"
	"embargo.dev/test/scenario"
)

func builtinRules(t *testing.T) *policies.RuleSet {
	t.Helper()
	vendors, err := catalog.Vendors()
	require.NoError(t, err)
	set, problems := policies.Compile(policies.Source{Vendors: vendors, Policies: []v1alpha1.VendorPolicy{catalog.DefaultPolicy()}})
	require.Empty(t, problems)
	return set
}

func asOf(t *testing.T, text string) policies.Instant {
	t.Helper()
	i, err := policies.ParseInstant(text)
	require.NoError(t, err)
	return i
}

// TestAnExplanationAgreesWithDecisions compares, for every image of the scenarios and
// every use, what Explain says with what Evaluate decides.
func TestAnExplanationAgreesWithDecisions(t *testing.T) {
	scenarios, err := scenario.Load("testdata/scenarios")
	require.NoError(t, err)
	compared := 0
	for _, s := range scenarios {
		rules, _ := s.RuleSet()
		request, err := s.Request()
		require.NoError(t, err)
		for _, img := range request.Object.Images {
			if !workload.Builtin(request.Kind) {
				continue // parameters are for custom resources only
			}
			x := rules.Explain(img.Value, asOf(t, s.At))
			for _, use := range []policies.Use{policies.UseIntroduce, policies.UseUpdate, policies.UseContinue} {
				assert.Equal(t, decided(rules, img, use, asOf(t, s.At)), explained(x, use), "%s: %s %s", s.Path, use, img.Value)
				compared++
			}
		}
	}
	assert.Greater(t, compared, 200)
}

// decided is what Evaluate makes of an image, by vendor and restriction.
func decided(rules *policies.RuleSet, img workload.Image, use policies.Use, at policies.Instant) map[string]v1alpha1.Action {
	d := rules.Evaluate(policies.Request{
		Operation: policies.Create, Kind: schema.GroupKind{Kind: "Pod"}, AssumeUse: use,
		Object: workload.Object{Images: []workload.Image{{Value: img.Value, Field: "spec.containers[0].image", List: "containers"}}},
	}, at)
	actions := map[string]v1alpha1.Action{}
	for _, f := range d.Findings {
		if f.Vendor != "" {
			actions[f.Vendor+"/"+f.Restriction+" "+string(f.Evidence)+" "+string(f.Confidence)] = f.Action
		}
	}
	return actions
}

func explained(x policies.Explanation, use policies.Use) map[string]v1alpha1.Action {
	actions := map[string]v1alpha1.Action{}
	for _, v := range x.Vendors {
		for _, r := range v.Restrictions {
			action := map[policies.Use]v1alpha1.Action{
				policies.UseIntroduce: r.Actions.Introduce, policies.UseUpdate: r.Actions.Update, policies.UseContinue: r.Actions.Continue,
			}[use]
			if action != v1alpha1.ActionAllow {
				actions[v.Name+"/"+r.Name+" "+string(r.Evidence)+" "+string(r.Confidence)] = action
			}
		}
	}
	return actions
}

func TestAnExplanationShowsTheWay(t *testing.T) {
	policy := catalog.DefaultPolicy()
	policy.Spec.LeadTimeDays = 30
	policy.Spec.Mirrors = []v1alpha1.Mirror{{Prefix: "harbor.example.com/hub", Upstream: "docker.io"}}
	vendors, err := catalog.Vendors()
	require.NoError(t, err)
	rules, _ := policies.Compile(policies.Source{Vendors: vendors, Policies: []v1alpha1.VendorPolicy{policy}})
	x := rules.Explain("harbor.example.com/hub/kaspersky/scanengine_httpd:2.1", asOf(t, "2024-09-01"))
	require.Len(t, x.Forms, 2)
	assert.Nil(t, x.Forms[0].Undone)
	assert.Equal(t, "harbor.example.com/hub", x.Forms[1].Undone.Mirror.Prefix())
	assert.Equal(t, "docker.io/kaspersky/scanengine_httpd:2.1", x.Forms[1].Reference.String())
	require.Len(t, x.Vendors, 1)
	v := x.Vendors[0]
	assert.Equal(t, policies.EvidenceMirror, v.Evidence)
	assert.Equal(t, v1alpha1.ConfidenceConfirmed, v.Confidence)
	assert.Contains(t, v.Patterns, policies.PatternTried{Pattern: "docker.io/kaspersky/scanengine_*", Confidence: v1alpha1.ConfidenceConfirmed, Matched: true})
	assert.Contains(t, v.Patterns, policies.PatternTried{Pattern: "repo.kcs.kaspersky.com/**", Confidence: v1alpha1.ConfidenceConfirmed})
	r := v.Restrictions[0]
	assert.Equal(t, "us-icts", r.Name)
	assert.Equal(t, "sales-prohibited", r.Phase.Phase.Phase)
	assert.Equal(t, "updates-prohibited", r.Next.Phase.Phase)
	assert.Equal(t, "updates-prohibited", r.Early.Phase.Phase, "thirty days early")
	assert.Equal(t, policies.Actions{Introduce: "Deny", Update: "Deny", Continue: "Warn"}, r.Actions)
	assert.Equal(t, []string{"default"}, r.Policies)
	for _, other := range v.Restrictions[1:] {
		assert.Empty(t, other.Policies, other.Name)
		assert.Equal(t, policies.Actions{Introduce: "Allow", Update: "Allow", Continue: "Allow"}, other.Actions)
	}
}

func TestAnUnreadableImageIsExplained(t *testing.T) {
	x := builtinRules(t).Explain("https://ghcr.io/acme", asOf(t, "2024-09-01"))
	assert.Equal(t, policies.EvidenceUnparsable, x.Problem)
	assert.NotEmpty(t, x.Reason)
	assert.Equal(t, policies.EvidenceUnresolved, builtinRules(t).Explain(" ", asOf(t, "2024-09-01")).Problem)
}

func TestTheNearestPatternIsNeverFarFetched(t *testing.T) {
	rules := builtinRules(t)
	near := rules.Explain("repo.kcs.kasperski.com/images/scanner:1", asOf(t, "2024-09-01")).Nearest
	require.NotNil(t, near)
	assert.Equal(t, policies.Nearest{Pattern: "repo.kcs.kaspersky.com/**", Vendor: "kaspersky", Distance: 1}, *near)
	content, err := os.ReadFile("prefilter/names.txt")
	require.NoError(t, err)
	for name := range strings.Lines(string(content)) {
		name = strings.TrimSpace(name)
		if strings.HasPrefix(name, "#") {
			continue
		}
		x := rules.Explain(name, asOf(t, "2024-09-01"))
		assert.Nil(t, x.Nearest, "%s is none of the listed vendors' nor like one: %v", name, x.Nearest)
	}
}
