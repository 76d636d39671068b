package policies

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"embargo.dev/policies/v1alpha1"
)

// digest names the content of a normalised source: of each object its name, the
// labels that policies can select vendors by, and its spec. What a cluster adds
// to an object (UIDs, managed fields, status) doesn't count.
func (s Source) digest() string {
	type entry struct {
		Kind   string            `json:"kind"`
		Name   string            `json:"name"`
		Labels map[string]string `json:"labels,omitempty"`
		Spec   any               `json:"spec"`
	}
	hash := sha256.New()
	// The types of these specs marshal to JSON whatever they hold, and a hash
	// takes whatever is written to it.
	encoder := json.NewEncoder(hash)
	for i := range s.Vendors {
		v := &s.Vendors[i]
		_ = encoder.Encode(entry{kindVendor, v.Name, v.Labels, v.Spec})
	}
	for i := range s.Policies {
		_ = encoder.Encode(entry{kindPolicy, s.Policies[i].Name, nil, s.Policies[i].Spec})
	}
	for i := range s.Waivers {
		w := s.Waivers[i].Spec
		_ = encoder.Encode(entry{kindWaiver, s.Waivers[i].Name, nil, waiverSpec{w, w.Expires.UTC().Format("2006-01-02T15:04:05Z")}})
	}
	return "sha256:" + hex.EncodeToString(hash.Sum(nil))
}

// waiverSpec writes the instant of expiry in UTC, so that two spellings of one
// instant give one digest.
type waiverSpec struct {
	v1alpha1.VendorWaiverSpec `json:",inline"`

	Expires string `json:"expires"`
}
