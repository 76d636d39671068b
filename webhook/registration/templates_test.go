package registration

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"embargo.dev/webhook/discovery"
)

// rulesOf writes rules as GROUP/VERSIONS: RESOURCES.
func rulesOf(found []discovery.Resource) []string {
	var lines []string
	for _, r := range templateRules(found) {
		lines = append(lines, fmt.Sprintf("%s/%v: %v", r.APIGroups[0], r.APIVersions, r.Resources))
	}
	return lines
}

func TestDiscoveredResourcesShareRules(t *testing.T) {
	assert.Equal(t, []string{
		"apps/[v1]: [controllerrevisions]",
		"argoproj.io/[v1alpha1]: [experiments rollouts]",
		"tekton.dev/[v1 v1beta1]: [pipelineruns]",
		"tekton.dev/[v1alpha1]: [stepactions]",
	}, rulesOf([]discovery.Resource{
		{Group: "argoproj.io", Versions: []string{"v1alpha1"}, Resource: "experiments"},
		{Group: "argoproj.io", Versions: []string{"v1alpha1"}, Resource: "rollouts"},
		{Group: "tekton.dev", Versions: []string{"v1", "v1beta1"}, Resource: "pipelineruns"},
		{Group: "tekton.dev", Versions: []string{"v1alpha1"}, Resource: "stepactions"},
	}))
}

func TestTooManyResourcesAreTakenByTheirGroups(t *testing.T) {
	var many []discovery.Resource
	for i := range maxNamed + 1 {
		many = append(many, discovery.Resource{Group: fmt.Sprintf("g%d.example.com", i%3), Versions: []string{"v1"}, Resource: fmt.Sprint("r", i)})
	}
	assert.Equal(t, []string{"apps/[v1]: [controllerrevisions]", "g0.example.com/[*]: [*]", "g1.example.com/[*]: [*]", "g2.example.com/[*]: [*]"}, rulesOf(many))
	assert.Contains(t, Resources(many), "*.g1.example.com")
	assert.Len(t, Resources(many[:maxNamed]), maxNamed+len(Resources(nil)))
}
