package main

import (
	"errors"
	"strings"
)

// monitoring copies the alerts, without what the chart puts around them, and the
// dashboard.
func (g generator) monitoring() error {
	rule, err := g.read("monitoring", "alerts.yaml")
	if err != nil {
		return err
	}
	_, spec, ok := strings.Cut(rule, "\nspec:\n")
	if !ok {
		return errors.New("config/monitoring/alerts.yaml has no spec")
	}
	dashboard, err := g.read("monitoring", "dashboard.json")
	if err != nil {
		return err
	}
	return errors.Join(
		g.write(unindent(spec), "files", "alerts.yaml"),
		g.write(dashboard, "files", "dashboard.json"),
	)
}
