package policies_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"pgregory.net/rapid"

	"embargo.dev/policies"
	"embargo.dev/policies/imageref"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/policies/workload"
	"embargo.dev/test/random"
)

// TestATagLeftOpenStandsForEveryTag compares the decision on images whose tag is left open
// with that on images which they can come to be: no finding means none, and a refusal
// means a refusal.
func TestATagLeftOpenStandsForEveryTag(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := random.NewList(t)
		for _, filled := range imagesOf(t, list.NewWorkload(t, "w")) {
			ref, err := imageref.Parse(filled.Value)
			if err != nil || ref.Tag == "" {
				continue
			}
			open := filled
			open.Value = ref.Repository() + ":$(tag)"
			if ref.Digest != "" {
				open.Value += "@" + ref.Digest
			}
			before, then := decideImage(list, open), decideImage(list, filled)
			require.True(t, len(before.Findings) > 0 || len(then.Findings) == 0, "%s is missed as %s", filled.Value, open.Value)
			require.True(t, !before.Denied() || then.Denied(), "%s is refused as %s", filled.Value, open.Value)
			for _, f := range before.Findings {
				require.True(t, f.Confidence == v1alpha1.ConfidenceSuspected || slices.ContainsFunc(then.Findings, func(g policies.Finding) bool {
					return g.Vendor == f.Vendor && g.Restriction == f.Restriction && g.Confidence == f.Confidence
				}), "%s is sure as %s", filled.Value, open.Value)
			}
		}
	})
}

func imagesOf(t *rapid.T, w random.Workload) []workload.Image {
	raw, err := json.Marshal(w.Object)
	require.NoError(t, err)
	object, err := workload.Decode(w.Kind.GroupKind(), raw)
	require.NoError(t, err)
	return object.Images
}

func decideImage(list *random.List, image workload.Image) policies.Decision {
	return list.Evaluate(policies.Request{
		Operation: policies.Create, Namespace: policies.Namespace{Name: "n"}, Object: workload.Object{Images: []workload.Image{image}},
	}, policies.At(time.Now()))
}

// TestWhyParametersCannotBeRead checks that no message advises to write a variable in lower case.
func TestWhyParametersCannotBeRead(t *testing.T) {
	rules, problems := policies.Compile(source(t))
	require.Empty(t, problems)
	deployment, template := schema.GroupKind{Group: "apps", Kind: "Deployment"}, schema.GroupKind{Group: "template.openshift.io", Kind: "Template"}
	const nothing, fills = "it has a parameter that nothing fills in", "it has parameters"
	for image, want := range map[string]map[schema.GroupKind]string{
		"${IMAGE}":                {deployment: nothing, template: fills},
		"${REGISTRY}/av:${TAG}":   {deployment: nothing, template: fills},
		"REGISTRY/${NAME}:1":      {deployment: nothing, template: fills},
		"$(params.image)":         {deployment: nothing, template: fills},
		"{{ .Values.image }}":     {deployment: nothing, template: fills},
		"$IMAGE":                  {deployment: nothing, template: nothing},
		"registry.io/av:${A} ${B": {deployment: nothing, template: fills},
		" ":                       {deployment: "it is empty", template: "it is empty"},
		"Av":                      {deployment: "the repository must be in lower case", template: "the repository must be in lower case"},
	} {
		for kind, reason := range want {
			d := rules.Evaluate(policies.Request{
				Operation: policies.Create, Kind: kind, Namespace: policies.Namespace{Name: "n"},
				Object: workload.Object{Images: []workload.Image{{Field: "f", Value: image}}},
			}, policies.At(time.Now()))
			require.Len(t, d.Findings, 1, image)
			unresolved := reason == fills || reason == "it is empty"
			assert.Equal(t, map[bool]policies.Evidence{true: policies.EvidenceUnresolved, false: policies.EvidenceUnparsable}[unresolved], d.Findings[0].Evidence, "%s in a %s", image, kind.Kind)
			assert.Equal(t, reason, d.Findings[0].Reason(), "%s in a %s", image, kind.Kind)
		}
	}
}
