package policies_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/test/scenario"
)

const (
	scenarioDir   = "testdata/scenarios"
	updateCommand = "UPDATE_SCENARIOS=1 go test ./policies -run TestScenarios"
)

// answer is what a scenario's golden file holds.
type answer struct {
	Action   v1alpha1.Action    `json:"action"`
	Denial   string             `json:"denial,omitempty"`
	Warnings []string           `json:"warnings,omitempty"`
	Notices  []string           `json:"notices,omitempty"`
	Findings []policies.Finding `json:"findings,omitempty"`
}

func TestScenarios(t *testing.T) {
	scenarios, err := scenario.Load(scenarioDir)
	require.NoError(t, err)
	require.NotEmpty(t, scenarios)
	update := os.Getenv("UPDATE_SCENARIOS") != ""
	for _, s := range scenarios {
		t.Run(s.Name(scenarioDir), func(t *testing.T) {
			require.NotEmpty(t, s.Shows, "a scenario says which sentence it shows")
			got, err := yaml.Marshal(evaluate(t, s))
			require.NoError(t, err)
			golden := s.Path + ".golden.yaml"
			if update {
				require.NoError(t, os.WriteFile(golden, got, 0o644))
				return
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err, "missing: review and write it with\n\t%s", updateCommand)
			assert.Equal(t, string(want), string(got), "stale: review and write it with\n\t%s", updateCommand)
		})
	}
}

func evaluate(t *testing.T, s *scenario.Scenario) answer {
	t.Helper()
	rules, problems := s.RuleSet()
	require.Empty(t, problems)
	instant, err := s.Instant()
	require.NoError(t, err)
	request, err := s.Request()
	require.NoError(t, err)
	d := rules.Evaluate(request, instant)
	return answer{Action: d.Action, Denial: d.Denial(), Warnings: d.Warnings(), Notices: d.Notices(), Findings: d.Findings}
}

func TestNoGoldenFileWithoutItsScenario(t *testing.T) {
	require.NoError(t, filepath.WalkDir(scenarioDir, func(path string, _ os.DirEntry, err error) error {
		if name, isGolden := strings.CutSuffix(path, ".golden.yaml"); isGolden {
			assert.FileExists(t, name+".yaml", "%s has no scenario: remove it", path)
		}
		return err
	}))
}
