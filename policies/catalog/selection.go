package catalog

import (
	"fmt"
	"slices"
	"strings"
)

const (
	// All selects every built-in vendor.
	All = "*"
	// except before a name leaves that vendor out of All.
	except = "!"
)

// Selection says which built-in vendors are wanted: names, All, and names with "!" before
// them, which are left out.
type Selection []string

// Has reports whether the selection wants a vendor.
func (s Selection) Has(name string) bool {
	if slices.Contains(s, except+name) {
		return false
	}
	return slices.Contains(s, All) || slices.Contains(s, name)
}

// CheckEntry returns what is wrong with an entry of the selection.
func (s Selection) CheckEntry(i int) error {
	name, excluded := strings.CutPrefix(s[i], except)
	switch {
	case s[i] == All:
		return nil
	case !slices.Contains(Names(), name):
		return fmt.Errorf(`no built-in vendor is named %q; want "*", or a name, or a name with "!" before it, of %s`, name, strings.Join(Names(), ", "))
	case excluded && !slices.Contains(s, All):
		return fmt.Errorf(`%q leaves a vendor out of "*", which is not there; add "*" for all other vendors`, s[i])
	default:
		return nil
	}
}
