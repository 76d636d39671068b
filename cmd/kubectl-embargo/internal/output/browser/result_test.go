//go:build browser

package browser_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"embargo.dev/cmd/kubectl-embargo/internal/output"
	"embargo.dev/policies"
	"embargo.dev/policies/catalog"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/policies/workload"
)

// result evaluates images by the built-in list.
func result(t *testing.T, kind string, findings int) *output.Result {
	t.Helper()
	vendors, err := catalog.Vendors()
	require.NoError(t, err)
	policy := catalog.DefaultPolicy()
	policy.Spec.Audiences = []string{"us-persons", "us-exporters", "us-federal-civilian"}
	rules, _ := policies.Compile(policies.Source{Vendors: vendors, Policies: []v1alpha1.VendorPolicy{policy}})
	instant, err := policies.ParseInstant("2024-08-15")
	require.NoError(t, err)
	r := &output.Result{Kind: kind, AsOf: "2024-08-15", RuleSet: rules.Digest(), Background: output.Background{
		Vendors: vendors, FailOn: v1alpha1.ActionDeny, Instant: instant, Version: "v0.4.0", Made: time.Date(2024, 10, 2, 9, 30, 0, 0, time.UTC),
	}}
	r.Notices = []string{"evaluated as of 2024-08-15, not now"}
	tags := []string{"kaspersky/scanengine_httpd:2.1", "ghcr.io/kaspersky/agent:7", "Not/An/Image", "repo.kcs.kaspersky.com/images/services/node-agent:v2.1.0-with-a-very-long-tag-that-wraps"}
	for i := 0; len(r.Findings) < findings; i++ {
		identity := output.Finding{APIVersion: "apps/v1", Kind: "Deployment", Namespace: fmt.Sprintf("team-%d", i%7*i%5), Name: fmt.Sprintf("scanner-%d", i)}
		if kind == output.KindAudit {
			since := time.Date(2022, 1, 1+i%300, 0, 0, 0, 0, time.UTC)
			identity.Cluster, identity.Since = "production", &since
		} else {
			identity.File, identity.Line, identity.Column = fmt.Sprintf("deploy/overlays/production/scanner-%d.yaml", i), 21, 18
		}
		add(r, rules, identity, tags[i%len(tags)])
	}
	return r
}

func add(r *output.Result, rules *policies.RuleSet, identity output.Finding, image string) {
	r.Summary.Objects++
	r.Summary.Images++
	for _, f := range rules.Evaluate(policies.Request{
		Operation: policies.Create, Kind: schema.GroupKind{Group: "apps", Kind: "Deployment"},
		Namespace: policies.Namespace{Name: identity.Namespace}, AssumeUse: policies.UseIntroduce,
		Object: workload.Object{Images: []workload.Image{{Field: "spec.template.spec.containers[0].image", List: "containers", Name: "scanner", Value: image}}},
	}, r.Instant).Findings {
		one := identity
		one.Finding = f
		r.Findings = append(r.Findings, one)
		*map[v1alpha1.Action]*int{"Deny": &r.Summary.Deny, "Warn": &r.Summary.Warn, "Audit": &r.Summary.Audit}[f.Action]++
	}
}
