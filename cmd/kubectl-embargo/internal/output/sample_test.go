package output_test

import (
	"bytes"
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

// sample makes results by the built-in list and the evaluator.
type sample struct {
	output.Result

	rules *policies.RuleSet
}

func newSample(t *testing.T, kind, asOf string) *sample {
	t.Helper()
	vendors, err := catalog.Vendors()
	require.NoError(t, err)
	policy := catalog.DefaultPolicy()
	policy.Spec.Audiences = []string{"us-persons", "us-exporters"}
	rules, problems := policies.Compile(policies.Source{Vendors: vendors, Policies: []v1alpha1.VendorPolicy{policy}})
	require.Empty(t, problems)
	instant, err := policies.ParseInstant(asOf)
	require.NoError(t, err)
	return &sample{rules: rules, Result: output.Result{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: kind, AsOf: asOf, RuleSet: rules.Digest(),
		Background: output.Background{
			Vendors: vendors, FailOn: v1alpha1.ActionDeny, Instant: instant, Version: "v0.4.0",
			Made: time.Date(2024, 10, 2, 9, 30, 0, 0, time.UTC),
		},
	}}
}

// add adds a Deployment with an image.
func (s *sample) add(identity output.Finding, image string) *sample {
	identity.APIVersion, identity.Kind = "apps/v1", "Deployment"
	images := []workload.Image{{
		Field: "spec.template.spec.containers[0].image", Template: "spec.template.spec", List: "containers", Name: "scanner", Value: image,
	}}
	s.AddImages(identity, images)
	s.Summary.Objects++
	s.Summary.Images++
	decision := s.rules.Evaluate(policies.Request{
		Operation: policies.Create, Kind: schema.GroupKind{Group: "apps", Kind: "Deployment"},
		Namespace: policies.Namespace{Name: identity.Namespace}, Object: workload.Object{Name: identity.Name, Images: images},
		AssumeUse: policies.UseIntroduce,
	}, s.Instant)
	for _, f := range decision.Findings {
		one := identity
		one.Finding = f
		s.Findings = append(s.Findings, one)
		switch f.Action {
		case v1alpha1.ActionDeny:
			s.Summary.Deny++
		case v1alpha1.ActionWarn:
			s.Summary.Warn++
		default:
			s.Summary.Audit++
		}
	}
	return s
}

func (s *sample) print(t *testing.T, format string) string {
	t.Helper()
	var text bytes.Buffer
	require.NoError(t, output.Print(&text, format, &s.Result, false))
	return text.String()
}

// at is a Deployment in a file.
func at(file string, line int, name string) output.Finding {
	return output.Finding{File: file, Line: line, Column: 18, EndColumn: 40, Namespace: "mail", Name: name}
}

// running is a Deployment in a cluster.
func running(namespace, name string) output.Finding {
	since := time.Date(2023, 5, 4, 0, 0, 0, 0, time.UTC)
	return output.Finding{Cluster: "production", Namespace: namespace, Name: name, Since: &since}
}

const (
	denied    = "kaspersky/scanengine_httpd:2.1"
	suspected = "ghcr.io/kaspersky/x"
	clean     = "registry.example.com/shop/app:1"
	unreadTag = "Bad\x01<&\"]]>"
)

// checked is a check with one finding of each sort.
func checked(t *testing.T) *sample {
	t.Helper()
	s := newSample(t, output.KindCheck, "2024-09-30")
	s.Notices = []string{"evaluated as of 2024-09-30, not now"}
	return s.add(at("deploy/av.yaml", 21, "av"), denied).
		add(at("deploy/av.yaml", 51, "proxy"), clean).
		add(at("deploy/x.yaml", 9, "x"), suspected).
		add(at("deploy/x.yaml", 29, "y"), unreadTag)
}

// audited is an audit of two namespaces.
func audited(t *testing.T) *sample {
	t.Helper()
	s := newSample(t, output.KindAudit, "2024-08-15")
	for i := range 5 {
		s.add(running("mail", fmt.Sprintf("av-%d", i)), denied)
	}
	return s.add(running("web", "gate"), suspected)
}
