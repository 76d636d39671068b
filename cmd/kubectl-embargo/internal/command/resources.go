package command

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"embargo.dev/cmd/kubectl-embargo/internal/cluster"
	"embargo.dev/cmd/kubectl-embargo/internal/output"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/webhook/registration"
)

// resourcesResult is what explain --resources answers; scripts depend on its shape.
type resourcesResult struct {
	APIVersion string     `json:"apiVersion"`
	Kind       string     `json:"kind"`
	Cluster    string     `json:"cluster"` // "" for those that are built in
	Notices    []string   `json:"notices"`
	Resources  []resource `json:"resources"`
}

type resource struct {
	Resource string `json:"resource"`
	Group    string `json:"group"`
	Builtin  bool   `json:"builtin"`
}

// runResources lists what admission covers.
func (e *explain) runResources(ctx context.Context) error {
	result := resourcesResult{APIVersion: v1alpha1.GroupVersion.String(), Kind: "ExplainResourcesResult", Notices: []string{}}
	builtin := map[string]bool{}
	covered := registration.Resources(nil)
	for _, r := range covered {
		builtin[r] = true
	}
	if found := e.coveredInCluster(ctx, &result); found != nil {
		covered = found
	}
	for _, r := range covered {
		name, group, _ := strings.Cut(r, ".")
		result.Resources = append(result.Resources, resource{name, group, builtin[r]})
	}
	result.Notices = append(result.Notices, e.notices...)
	e.tell()
	if e.format != "table" {
		return errors.Join(output.PrintStructured(e.Out, e.format, result), e.exit())
	}
	tabs := tabwriter.NewWriter(e.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tabs, "RESOURCE\tGROUP\tFOUND")
	for _, r := range result.Resources {
		fmt.Fprintf(tabs, "%s\t%s\t%s\n", r.Resource, orCore(r.Group), map[bool]string{true: "built in", false: "discovered"}[r.Builtin])
	}
	return errors.Join(tabs.Flush(), e.exit())
}

// coveredInCluster asks the cluster, if there is one; nil where the built-in resources
// are all that is known.
func (e *explain) coveredInCluster(ctx context.Context, result *resourcesResult) []string {
	if !cluster.Configured(e.flags) {
		e.notice("no kubeconfig names a cluster: the built-in resources are listed")
		return nil
	}
	unread := func(err error) {
		e.unread(err)
		e.notice("what the cluster covers is unknown: the built-in resources are listed")
	}
	live, err := cluster.Connect(e.flags)
	if err != nil {
		unread(err)
		return nil
	}
	found, err := live.Covered(ctx)
	switch {
	case err != nil:
		unread(err)
	case len(found) == 0:
		e.notice("no VendorPolicy of cluster %s says what is covered: the built-in resources are listed", live.Name)
	default:
		result.Cluster = live.Name
	}
	return found
}

func orCore(group string) string {
	if group == "" {
		return "core"
	}
	return group
}
