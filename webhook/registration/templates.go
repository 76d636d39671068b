package registration

import (
	"slices"
	"strings"

	ac "k8s.io/client-go/applyconfigurations/admissionregistration/v1"

	"embargo.dev/webhook/discovery"
)

// maxNamed bounds how many discovered resources the configuration names. Beyond it
// there is a rule for each of their groups, which takes all that is in it.
const maxNamed = 400

// templateRules are the resources that may embed pod templates, beside the built-in
// workloads. Those of one group and the same versions share a rule. Only the versions
// in whose schemas they were found are named: the API server converts the others.
func templateRules(found []discovery.Resource) []*ac.RuleWithOperationsApplyConfiguration {
	rules := []*ac.RuleWithOperationsApplyConfiguration{rule("apps", "v1", "controllerrevisions")}
	if len(found) > maxNamed {
		return append(rules, groupRules(found)...)
	}
	for _, r := range found {
		last := rules[len(rules)-1]
		if last.APIGroups[0] == r.Group && slices.Equal(last.APIVersions, r.Versions) {
			last.WithResources(r.Resource)
			continue
		}
		next := rule(r.Group, r.Versions[0], r.Resource)
		rules = append(rules, next.WithAPIVersions(r.Versions[1:]...))
	}
	return rules
}

func groupRules(found []discovery.Resource) []*ac.RuleWithOperationsApplyConfiguration {
	var groups []string
	for _, r := range found {
		groups = append(groups, r.Group)
	}
	slices.Sort(groups)
	var rules []*ac.RuleWithOperationsApplyConfiguration
	for _, group := range slices.Compact(groups) {
		rules = append(rules, rule(group, "*", "*"))
	}
	return rules
}

// Resources are what admission covers with the resources found, as RESOURCE.GROUP.
func Resources(found []discovery.Resource) []string {
	var covered []string
	for _, r := range slices.Concat(workloadRules(), templateRules(found)) {
		for _, resource := range r.Resources {
			covered = append(covered, strings.TrimSuffix(resource+"."+r.APIGroups[0], "."))
		}
	}
	slices.Sort(covered)
	return slices.Compact(covered)
}
