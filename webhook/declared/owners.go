package declared

import (
	"encoding/json"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// others returns the field managers beside the values' own that own some of an object's
// spec, in order.
func others(object client.Object) []string {
	var managers []string
	for _, m := range object.GetManagedFields() {
		if m.Manager == FieldManager || m.Subresource != "" || m.FieldsV1 == nil {
			continue
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(m.FieldsV1.GetRawBytes(), &fields); err != nil {
			managers = append(managers, m.Manager) // what can't be read may be somebody's
			continue
		}
		if _, ok := fields["f:spec"]; ok {
			managers = append(managers, m.Manager)
		}
	}
	slices.Sort(managers)
	return slices.Compact(managers)
}
