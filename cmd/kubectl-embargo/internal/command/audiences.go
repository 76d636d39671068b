package command

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"embargo.dev/policies/v1alpha1"
)

// checkAudiences refuses an audience that no restriction carries: with it, nothing would
// be restricted, and a slip of the pen would pass for a clean result.
func checkAudiences(audiences []string, vendors []v1alpha1.RestrictedVendor) error {
	carried := map[string]bool{}
	for i := range vendors {
		for j := range vendors[i].Spec.Restrictions {
			carried[vendors[i].Spec.Restrictions[j].Audience] = true
		}
	}
	for _, audience := range audiences {
		if !carried[audience] {
			return errUnknownAudience{audience, slices.Sorted(maps.Keys(carried))}
		}
	}
	return nil
}

// errUnknownAudience is an audience that no restriction carries.
type errUnknownAudience struct {
	audience string
	carried  []string
}

func (e errUnknownAudience) Error() string {
	near := nearest(e.audience, e.carried)
	if len(near) == 0 {
		near = e.carried
	}
	if len(near) == 0 {
		return fmt.Sprintf("--audience %q: the list has no restriction", e.audience)
	}
	return fmt.Sprintf("--audience %q: no restriction on the list is for it; did you mean %s?", e.audience, strings.Join(near, ", "))
}

// nearest returns the words that a mistyped one may stand for, as cobra suggests commands.
func nearest(mistyped string, words []string) []string {
	suggester := &cobra.Command{SuggestionsMinimumDistance: 3}
	for _, word := range words {
		suggester.AddCommand(&cobra.Command{Use: word, Run: func(*cobra.Command, []string) {}})
	}
	return suggester.SuggestionsFor(mistyped)
}
