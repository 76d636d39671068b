package policies

import "embargo.dev/policies/v1alpha1"

// Tally counts findings by what they come from.
type Tally struct {
	Vendors  map[string]VendorTally
	Policies map[string]v1alpha1.ActionCounts
	Waivers  map[string]int32 // the findings that each covers
	Unread   []string         // resources with images that can't be read, so that nothing is counted of them
}

// VendorTally counts where a vendor's images are found.
type VendorTally struct{ Workloads, Namespaces int32 }

// NewTally returns a Tally of nothing.
func NewTally() *Tally {
	return &Tally{Vendors: map[string]VendorTally{}, Policies: map[string]v1alpha1.ActionCounts{}, Waivers: map[string]int32{}}
}

// Count counts a finding, but for the workload and the namespace that it is in.
func (t *Tally) Count(f *Finding) {
	for _, name := range f.Policies {
		counts := t.Policies[name]
		counts.Count(f.Action)
		t.Policies[name] = counts
	}
	if f.Waiver != "" {
		t.Waivers[f.Waiver]++
	}
}

// CountNamespace counts a namespace in which so many workloads have findings of a
// vendor.
func (t *Tally) CountNamespace(vendor string, workloads int) {
	counts := t.Vendors[vendor]
	counts.Namespaces++
	counts.Workloads += int32(workloads) // objects of a cluster
	t.Vendors[vendor] = counts
}

// Add adds another tally.
func (t *Tally) Add(other *Tally) {
	for name, v := range other.Vendors {
		sum := t.Vendors[name]
		t.Vendors[name] = VendorTally{sum.Workloads + v.Workloads, sum.Namespaces + v.Namespaces}
	}
	for name, c := range other.Policies {
		sum := t.Policies[name]
		t.Policies[name] = v1alpha1.ActionCounts{Deny: sum.Deny + c.Deny, Warn: sum.Warn + c.Warn, Audit: sum.Audit + c.Audit}
	}
	for name, n := range other.Waivers {
		t.Waivers[name] += n
	}
}
