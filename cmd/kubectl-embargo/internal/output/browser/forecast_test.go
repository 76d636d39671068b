//go:build browser

package browser_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/audit/forecast"
	"embargo.dev/cmd/kubectl-embargo/internal/output"
	"embargo.dev/policies/v1alpha1"
)

// foreseen is a forecast that affects what an audit found.
func foreseen(t *testing.T) *output.Forecast {
	t.Helper()
	r := result(t, output.KindAudit, 24)
	f := &output.Forecast{Kind: output.KindForecast, AsOf: r.AsOf, Until: "2025-08-15", RuleSet: r.RuleSet, Background: r.Background}
	for i, finding := range r.Findings {
		if finding.Vendor == "" {
			continue
		}
		one := output.Affected{Finding: finding, Update: forecast.Change{Before: v1alpha1.ActionWarn, After: v1alpha1.ActionDeny}}
		one.Effects, one.Action = output.EffectsOf(one.Continue, one.Update, one.Restart)
		at := time.Date(2024, 9, 29+i%3, 4, 0, 0, 0, time.UTC)
		f.Add(output.Transition{At: at, Days: 45 + i%3, Affected: []output.Affected{one}, Causes: []output.Cause{{
			Type: output.PhaseBegins, Vendor: "kaspersky", Restriction: "us-icts", Phase: fmt.Sprintf("phase-%d", i%3),
			On: at.Format(time.DateOnly), Summary: "updates are prohibited", Citation: "89 FR 52434", Policies: []string{"default"},
		}}})
	}
	f.Count()
	return f
}

func TestTheForecastLoadsNothingAndFitsAPhone(t *testing.T) {
	var text bytes.Buffer
	require.NoError(t, output.PrintForecast(&text, "html", foreseen(t), false))
	b := openText(t, text.Bytes())
	assert.Empty(t, b.all())
	assert.Equal(t, 3, ask[int](t, b, `document.querySelectorAll("article.transition").length`))
	b.shoot(t, "forecast")
	fitsPhones(t, b, "forecast")
}
