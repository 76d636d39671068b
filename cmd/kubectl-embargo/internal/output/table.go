package output

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"embargo.dev/policies/v1alpha1"
)

// table writes a line a finding, then what was counted, and for each refusal why.
func table(w io.Writer, r *Result, colour bool) error {
	if len(r.Findings) > 0 {
		tabs := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(tabs, "ACTION\tVENDOR\tRESTRICTION\tOBJECT\tCONTAINER\tIMAGE\tPLACE")
		for _, f := range r.Findings {
			fmt.Fprintf(tabs, "%s\t%s\t%s\t%s\t%s\t%s\t%s:%d\n",
				f.Action, orDash(f.Vendor), orDash(f.Restriction), f.object(), orDash(printable(f.Container)), orDash(printable(f.Image)), f.File, f.Line)
		}
		if err := tabs.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	for _, f := range r.Findings {
		if f.Action == v1alpha1.ActionDeny {
			fmt.Fprintf(w, "%s %s: %s\n", paint(colour, "Deny"), f.object(), f.Message)
		}
	}
	_, err := fmt.Fprintln(w, r.sentence())
	return err
}

func (f Finding) object() string {
	return fmt.Sprintf("%s/%s/%s", f.Kind, orDash(f.Namespace), orDash(f.Name))
}

// sentence sums the result up.
func (r *Result) sentence() string {
	s := r.Summary
	read := fmt.Sprintf("%s with %s as of %s", count(s.Objects, "object"), count(s.Images, "image"), r.AsOf)
	if s.Skipped > 0 {
		read += fmt.Sprintf(" (%s skipped that %s no Kubernetes object)", count(s.Skipped, "document"), map[bool]string{true: "is", false: "are"}[s.Skipped == 1])
	}
	if len(r.Findings) == 0 {
		return "No findings in " + read + "."
	}
	return fmt.Sprintf("%s in %s: %d Deny, %d Warn, %d Audit.", count(len(r.Findings), "finding"), read, s.Deny, s.Warn, s.Audit)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// printable keeps control characters out of a terminal.
func printable(text string) string {
	quoted := fmt.Sprintf("%q", text)
	return strings.TrimSuffix(strings.TrimPrefix(quoted, `"`), `"`)
}

func paint(colour bool, text string) string {
	if !colour {
		return text
	}
	return "\x1b[31m" + text + "\x1b[0m"
}
