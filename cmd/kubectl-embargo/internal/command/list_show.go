package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"embargo.dev/cmd/kubectl-embargo/internal/output"
	"embargo.dev/policies/v1alpha1"
)

// listShow prints restricted vendors as objects.
type listShow struct {
	basis

	format string
}

var listShowFormats = []string{"yaml", "json", "name"}

func newListShow(program string, streams genericiooptions.IOStreams) *cobra.Command {
	c := &listShow{basis: basis{IOStreams: streams}}
	cmd := &cobra.Command{
		Use:   "show [VENDOR...]",
		Short: "Print the restricted list as YAML",
		Long: `Print the restricted list that the other commands use without a cluster: the built-in
one, or what --list names. The output can be edited and given to --list again.`,
		Example: examples(program, `
			# The built-in list
			%[1]s list show

			# One vendor, to start an own entry from
			%[1]s list show kaspersky > vendors/kaspersky.yaml

			# The names of all vendors, with those of an own list
			%[1]s list show --list builtin,vendors/acme.yaml -o name`),
		ValidArgsFunction: completeVendors,
		RunE: func(cmd *cobra.Command, vendors []string) error {
			if !slices.Contains(listShowFormats, c.format) {
				return fmt.Errorf("-o %q: want one of %s", c.format, strings.Join(listShowFormats, ", "))
			}
			if err := c.rules.check(cmd.Flags(), nil); err != nil {
				return err
			}
			return c.run(cmd.Context(), vendors)
		},
	}
	cmd.Flags().StringSliceVar(&c.rules.lists, "list", nil, listUsage)
	c.addNoticeFlags(cmd)
	addChoiceFlag(cmd, &c.format, "output", "o", "yaml", "output format: "+strings.Join(listShowFormats, ", "), listShowFormats)
	return cmd
}

func (c *listShow) run(ctx context.Context, names []string) error {
	listed, err := c.rules.loadList(ctx, c.In, c.broken)
	if err != nil {
		return err
	}
	for _, n := range listed.notices {
		c.notice("%s", n)
	}
	vendors, err := named(listed.source.Vendors, names)
	if err != nil {
		return err
	}
	c.tell()
	return errors.Join(c.print(vendors), c.exit())
}

func (c *listShow) print(vendors []v1alpha1.RestrictedVendor) error {
	objects := make([]object, 0, len(vendors))
	for i := range vendors {
		objects = append(objects, newObject(vendorKind, &vendors[i], vendors[i].Spec))
	}
	switch c.format {
	case "name":
		for _, o := range objects {
			fmt.Fprintf(c.Out, "restrictedvendor.%s/%s\n", v1alpha1.GroupVersion.Group, o.Metadata.Name)
		}
		return nil
	case "json":
		return output.PrintStructured(c.Out, c.format, map[string]any{"apiVersion": "v1", "kind": "List", "items": objects})
	default:
		return writeObjects(c.Out, objects)
	}
}

// writeObjects writes a YAML document an object.
func writeObjects(w io.Writer, objects []object) error {
	for _, o := range objects {
		text, err := output.MarshalYAML(o)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "---\n%s", text); err != nil {
			return err
		}
	}
	return nil
}
