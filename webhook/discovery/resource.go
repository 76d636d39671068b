package discovery

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Resource is a resource whose objects may carry images.
type Resource struct {
	Group    string
	Versions []string // those in whose schema one may stand, sorted
	Resource string   // plural
	Kind     string
	Where    string // the first path at which one may stand, * for the whole object
	Said     bool   // whether the schema or the list of fields says so, rather than the schema leave open what stands there
}

// GroupResource names the resource.
func (r Resource) GroupResource() schema.GroupResource {
	return schema.GroupResource{Group: r.Group, Resource: r.Resource}
}

func (r Resource) compare(other Resource) int {
	return cmp.Or(cmp.Compare(r.Group, other.Group), cmp.Compare(r.Resource, other.Resource))
}

func (r Resource) equal(other Resource) bool {
	return r.Group == other.Group && r.Resource == other.Resource && r.Kind == other.Kind && r.Where == other.Where && r.Said == other.Said && slices.Equal(r.Versions, other.Versions)
}
