// Package catalog is the built-in restricted list: one file a vendor, each with
// the sources of what it says, and the policy that a new installation starts with.
package catalog

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"embargo.dev/policies/v1alpha1"
)

//go:embed vendors/*.yaml
var vendors embed.FS

//go:embed default-policy.yaml
var defaultPolicy []byte

// Vendors returns the built-in vendors by name. The caller may change them.
func Vendors() ([]v1alpha1.RestrictedVendor, error) {
	entries, err := vendors.ReadDir("vendors")
	if err != nil {
		return nil, err
	}
	list := make([]v1alpha1.RestrictedVendor, 0, len(entries))
	for _, entry := range entries {
		data, err := vendors.ReadFile(path.Join("vendors", entry.Name()))
		if err != nil {
			return nil, err
		}
		var v v1alpha1.RestrictedVendor
		if err := yaml.UnmarshalStrict(data, &v); err != nil {
			return nil, fmt.Errorf("built-in vendor %s: %w", entry.Name(), err)
		}
		list = append(list, v)
	}
	return list, nil
}

// Names returns the names of the built-in vendors in order.
func Names() []string {
	entries, err := vendors.ReadDir("vendors")
	if err != nil {
		return nil // an embedded folder is there
	}
	names := make([]string, 0, len(entries))
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), ".yaml"))
	}
	return names
}

// Audiences returns the audiences of the built-in vendors' restrictions in order.
func Audiences() []string {
	list, err := Vendors()
	if err != nil {
		return nil // embedded, and read by a test
	}
	var audiences []string
	for i := range list {
		for j := range list[i].Spec.Restrictions {
			audiences = append(audiences, list[i].Spec.Restrictions[j].Audience)
		}
	}
	slices.Sort(audiences)
	return slices.Compact(audiences)
}

// DefaultPolicy returns the policy of a new installation, which the command line
// also assumes where it is given none.
func DefaultPolicy() v1alpha1.VendorPolicy {
	var p v1alpha1.VendorPolicy
	if err := yaml.UnmarshalStrict(defaultPolicy, &p); err != nil {
		panic(fmt.Sprintf("built-in default policy: %v", err)) // embedded, and read by a test
	}
	return p
}
