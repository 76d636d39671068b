package cluster

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"embargo.dev/audit"
)

// Resource finds out which kind a resource has that is named as RESOURCE.GROUP; false
// where the cluster doesn't serve it, or the name stands for more than one.
func (c *Cluster) Resource(name string) (audit.Resource, bool, error) {
	resource, group, _ := strings.Cut(name, ".")
	if resource == "*" || strings.Contains(resource, "/") {
		return audit.Resource{}, false, nil
	}
	kind, err := c.mapper.KindFor(schema.GroupVersionResource{Group: group, Resource: resource})
	if meta.IsNoMatchError(err) {
		return audit.Resource{}, false, nil
	}
	if err != nil {
		return audit.Resource{}, false, c.Unread(name, err)
	}
	namespaced, served, err := c.Namespaced(kind)
	return audit.Resource{Kind: kind, Resource: resource, ClusterScoped: !namespaced}, served, err
}
