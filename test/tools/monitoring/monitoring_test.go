package monitoring

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(append([]string{"..", "..", ".."}, path...)...))
	require.NoError(t, err)
	return content
}

// expressions returns every query of the alerts and of the dashboard, by name.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	var alerts struct {
		Spec struct {
			Groups []struct {
				Rules []struct {
					Alert, Expr string
					Annotations map[string]string
				}
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(read(t, "config", "monitoring", "alerts.yaml"), &alerts))
	all := map[string]string{}
	for _, group := range alerts.Spec.Groups {
		for _, rule := range group.Rules {
			all[rule.Alert] = rule.Expr
			assert.NotEmpty(t, rule.Annotations["summary"], rule.Alert)
			assert.NotEmpty(t, rule.Annotations["description"], "%s says what to do", rule.Alert)
		}
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal(read(t, "config", "monitoring", "dashboard.json"), &dashboard))
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			all[panel.Title+" "+target.Expr] = strings.ReplaceAll(target.Expr, "$__rate_interval", "5m")
		}
	}
	return all
}

func TestEveryQueryIsPrometheusLanguage(t *testing.T) {
	found := expressions(t)
	require.Greater(t, len(found), 20)
	for name, expression := range found {
		_, err := parser.NewParser(parser.Options{}).ParseExpr(expression)
		assert.NoError(t, err, name)
	}
}

func TestEveryMetricIsDocumented(t *testing.T) {
	documented := string(read(t, "docs", "configuration.md"))
	for name, expression := range expressions(t) {
		for _, metric := range regexp.MustCompile(`embargo_[a-z_]+`).FindAllString(expression, -1) {
			metric = regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(metric, "")
			assert.Regexp(t, "`"+metric+"[`{]", documented, name)
		}
	}
}
