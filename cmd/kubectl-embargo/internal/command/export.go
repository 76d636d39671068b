package command

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"embargo.dev/cmd/kubectl-embargo/internal/cluster"
	"embargo.dev/policies"
)

// export writes the cluster's rule set.
type export struct {
	basis

	flags *genericclioptions.ConfigFlags
}

func newExport(name string, streams genericiooptions.IOStreams) *cobra.Command {
	e := &export{basis: basis{IOStreams: streams}, flags: cluster.NewFlags()}
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the cluster's rule set as one file",
		Long: `Write the RestrictedVendors, VendorPolicies and VendorWaivers of the cluster as one
YAML file, with the digest of the rule set that they make. The same digest stands in
audit annotations, reports and the output of check. check takes the file for both its
flags --list and --policy, and then decides as the cluster does.`,
		Example: examples(name, `
			# Keep the rule set, and repeat a recorded decision with it
			%[1]s export > rules.yaml
			%[1]s check --review review.json -f context.yaml --list rules.yaml --policy rules.yaml`),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return e.run(cluster.Quiet(cmd.Context())) },
	}
	e.flags.AddFlags(cmd.Flags())
	return cmd
}

func (e *export) run(ctx context.Context) error {
	live, err := cluster.Connect(e.flags)
	if err != nil {
		e.unread(err)
		return e.exit()
	}
	source, err := live.Rules(ctx)
	if err != nil {
		e.unread(err)
		return e.exit()
	}
	set, problems := policies.Compile(source)
	for _, p := range problems {
		e.notice("not in force: %v", p)
	}
	e.tell()
	return writeRules(e.Out, set.Digest(), source)
}

// writeRules writes a document an object, in the order of kinds and names, so that two
// exports can be compared.
func writeRules(w io.Writer, digest string, source policies.Source) error {
	fmt.Fprintf(w, "# Rule set %s: %d RestrictedVendors, %d VendorPolicies, %d VendorWaivers.\n",
		digest, len(source.Vendors), len(source.Policies), len(source.Waivers))
	var objects []object
	for i := range source.Vendors {
		objects = append(objects, newObject(vendorKind, &source.Vendors[i], source.Vendors[i].Spec))
	}
	for i := range source.Policies {
		objects = append(objects, newObject(policyKind, &source.Policies[i], source.Policies[i].Spec))
	}
	for i := range source.Waivers {
		objects = append(objects, newObject(waiverKind, &source.Waivers[i], source.Waivers[i].Spec))
	}
	return writeObjects(w, objects)
}

// object is what of an object bears on decisions: nothing that the cluster added.
type object struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   metadata `json:"metadata"`
	Spec       any      `json:"spec"`
}

type metadata struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels,omitempty"`
}

func newObject(kind schema.GroupVersionKind, meta metav1.Object, spec any) object {
	return object{
		APIVersion: kind.GroupVersion().String(), Kind: kind.Kind,
		Metadata: metadata{Name: meta.GetName(), Labels: meta.GetLabels()}, Spec: spec,
	}
}
