package policies_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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
