package command

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/pflag"
)

// check refuses flags with nothing in them, as an unset variable in a script leaves them:
// what isn't given is assumed. Standard input can serve one purpose, also of other sources.
func (o *rulesOptions) check(flags *pflag.FlagSet, others []string) error {
	for _, given := range []struct {
		flag, want string
		values     []string
	}{{"list", "a file with RestrictedVendors, or builtin", o.lists}, {"policy", "a file with VendorPolicies or VendorWaivers", o.policies}, {"audience", "the name of an audience", o.audiences}} {
		if flags.Changed(given.flag) && (len(given.values) == 0 || slices.Contains(given.values, "")) {
			return fmt.Errorf("--%s: want %s", given.flag, given.want)
		}
	}
	return readOnce(slices.Concat(o.lists, o.policies, others))
}

// readOnce refuses standard input among sources more than once.
func readOnce(sources []string) error {
	first := slices.Index(sources, "-")
	if first >= 0 && slices.Contains(sources[first+1:], "-") {
		return errors.New("standard input can be read once only")
	}
	return nil
}
