package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/json"

	"embargo.dev/cmd/kubectl-embargo/internal/lint"
	"embargo.dev/cmd/kubectl-embargo/internal/manifest"
	"embargo.dev/cmd/kubectl-embargo/internal/output"
	"embargo.dev/policies/v1alpha1"
)

// listValidate lints files with RestrictedVendors.
type listValidate struct {
	genericiooptions.IOStreams
	shortfall

	recursive bool
	strict    bool
	format    string

	named  map[string]string // where each name stands first
	across lint.Across
	result output.Validation
}

const listValidateExamples = `  # One file
  %[1]s list validate vendors/acme.yaml

  # All files in a folder and below it, for a pipeline: warnings fail too
  %[1]s list validate -R vendors/ --strict

  # What an import drafted, and what is still to be completed in it
  %[1]s list import --from csl --name "Example Antivirus" consolidated.json | %[1]s list validate -`

func newListValidate(program string, streams genericiooptions.IOStreams) *cobra.Command {
	c := &listValidate{IOStreams: streams, named: map[string]string{}}
	cmd := &cobra.Command{
		Use:   "validate FILE|DIR|URL|-...",
		Short: "Lint files with RestrictedVendors",
		Long: `Lint files with RestrictedVendors. Errors are what a cluster would refuse: unknown keys,
missing or impossible values, patterns and schedules that don't compile, names given
twice. Warnings are for a reviewer: a vendor that nothing recognises, a restriction without
scope, a date that nobody verified, a pattern that another one makes needless, and more.

Exit codes: 0 no errors (with --strict: no warnings either), 1 some, 2 bad usage or input
that can't be read, 3 something that can't be reached.`,
		Example: fmt.Sprintf(listValidateExamples, program),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("want files, folders or URLs with RestrictedVendors, or - for standard input; see --help")
			}
			return readOnce(args)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), args) },
	}
	f := cmd.Flags()
	f.BoolVarP(&c.recursive, "recursive", "R", false, "also read the folders below a folder")
	f.BoolVar(&c.strict, "strict", false, "make the exit code 1 for warnings too")
	addChoiceFlag(cmd, &c.format, "output", "o", "table", "output format: "+strings.Join(output.ValidationFormats, ", "), output.ValidationFormats)
	return cmd
}

func (c *listValidate) run(ctx context.Context, sources []string) error {
	if !slices.Contains(output.ValidationFormats, c.format) {
		return fmt.Errorf("-o %q: want one of %s", c.format, strings.Join(output.ValidationFormats, ", "))
	}
	var failed error
	reader := &manifest.Reader{Stdin: c.In, Recursive: c.recursive, Unfollowed: c.unfollowed, Broken: c.broken}
	reader.Read(ctx, sources, func(d *manifest.Document) {
		objects, others := d.Objects()
		if others > 0 {
			c.refuse("", &manifest.Error{File: d.File, Line: d.Line, Err: errors.New("no Kubernetes object: want RestrictedVendors")})
		}
		for _, o := range objects {
			failed = cmp.Or(failed, c.object(ctx, o))
		}
	})
	if failed != nil {
		return failed
	}
	if !c.bad && !c.unreachable && c.result.Summary.Vendors+c.result.Summary.Errors == 0 {
		return fmt.Errorf("there is no RestrictedVendor in %s", strings.Join(sources, ", "))
	}
	return c.print()
}

// broken tells what can't be read; the rest is still validated.
func (c *listValidate) broken(err *manifest.Error) {
	fmt.Fprintf(c.ErrOut, "error: %v\n", err)
	c.mark(err)
}

// unfollowed tells of a folder that isn't read.
func (c *listValidate) unfollowed(folder string) {
	fmt.Fprintf(c.ErrOut, "notice: %s\n", unfollowed(folder))
}

// refuse notes what can be read but is nothing to validate.
func (c *listValidate) refuse(vendor string, errs ...*manifest.Error) {
	for _, err := range errs {
		problem := output.ListProblem{File: err.File, Line: err.Line, Vendor: vendor, Severity: string(lint.Error), Message: err.Err.Error()}
		if at, ok := errors.AsType[json.FieldError](err); ok {
			problem.Field = at.FieldPath()
		}
		c.result.Problems = append(c.result.Problems, problem)
		c.result.Summary.Errors++
	}
}

// object validates one object. The error is that it can't be validated at all.
func (c *listValidate) object(ctx context.Context, o manifest.Object) error {
	if o.Kind() != v1alpha1.GroupVersion.WithKind("RestrictedVendor") {
		c.refuse("", wrongKind(o, "a restricted list has RestrictedVendor objects")...)
		return nil
	}
	c.result.Summary.Vendors++
	v, errs := decode[v1alpha1.RestrictedVendor](o)
	c.refuse(v.Name, errs...)
	problems, err := lint.Vendor(ctx, &v, o.Fields)
	if err != nil {
		return err
	}
	place := func(field string) string {
		line, _ := o.Position(field)
		return fmt.Sprintf("%s:%d", o.Document.File, line)
	}
	c.add(o, v.Name, c.name(v.Name, place("metadata.name")))
	c.add(o, v.Name, problems)
	c.add(o, v.Name, c.across.Vendor(&v, place))
	return nil
}

// name refuses a name that another vendor has.
func (c *listValidate) name(name, place string) []lint.Problem {
	first, taken := c.named[name]
	if taken && name != "" {
		return []lint.Problem{{Severity: lint.Error, Field: "metadata.name", Message: fmt.Sprintf("metadata.name: %q is given already at %s", name, first)}}
	}
	c.named[name] = place
	return nil
}

func (c *listValidate) add(o manifest.Object, vendor string, problems []lint.Problem) {
	for _, p := range problems {
		line, _ := o.Position(p.Field)
		c.result.Problems = append(c.result.Problems, output.ListProblem{
			File: o.Document.File, Line: line, Vendor: vendor, Field: p.Field, Severity: string(p.Severity), Message: p.Message,
		})
		if p.Severity == lint.Error {
			c.result.Summary.Errors++
		} else {
			c.result.Summary.Warnings++
		}
	}
}

func (c *listValidate) print() error {
	r := &c.result
	r.APIVersion, r.Kind = v1alpha1.GroupVersion.String(), "ListValidation"
	order := map[string]int{}
	for _, p := range r.Problems {
		if _, seen := order[p.File]; !seen {
			order[p.File] = len(order)
		}
	}
	r.Problems = slices.Concat([]output.ListProblem{}, r.Problems)
	slices.SortStableFunc(r.Problems, func(a, b output.ListProblem) int {
		return cmp.Or(cmp.Compare(order[a.File], order[b.File]), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Field, b.Field))
	})
	if err := output.PrintValidation(c.Out, c.format, r); err != nil {
		return err
	}
	if err := c.exit(); err != nil {
		return err
	}
	if r.Summary.Errors > 0 || c.strict && r.Summary.Warnings > 0 {
		return exit(exitFindings)
	}
	return nil
}
