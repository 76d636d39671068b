package command

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"embargo.dev/audit"
)

// optional are resources without which the result is complete but for what the notice
// says.
var optional = map[string]string{
	"nodes":                     "an image that runs under another name than its workload gives it isn't found",
	"podtemplates":              "PodTemplates, which run nothing by themselves, aren't evaluated",
	"vendorreports.embargo.dev": "since when an image is there is taken from what is there now alone",
}

// tellUnread tells what may not be read, in a line for all namespaces that have the same
// in common.
func (s *survey) tellUnread(unread []audit.Unread) {
	resources := map[string][]string{} // by namespace
	reasons := map[string]error{}
	for _, u := range unread {
		if apierrors.IsNotFound(u.Err) {
			continue // what isn't served has no objects
		}
		if consequence, ok := optional[u.Resource]; ok {
			s.notice("cluster %s: %s may not be read: %s", s.name(), u.Resource, consequence)
			continue
		}
		resources[u.Namespace] = append(resources[u.Namespace], u.Resource)
		if first := reasons[u.Namespace]; first == nil || u.Err.Error() < first.Error() {
			reasons[u.Namespace] = u.Err
		}
	}
	namespaces := map[string][]string{} // by resources
	for _, namespace := range slices.Sorted(maps.Keys(resources)) {
		slices.Sort(resources[namespace])
		list := strings.Join(resources[namespace], ", ")
		namespaces[list] = append(namespaces[list], namespace)
	}
	for _, list := range slices.Sorted(maps.Keys(namespaces)) {
		in := namespaces[list]
		s.unread(s.cluster.Unread(where(in)+list, reasons[in[0]]))
	}
}

// where names namespaces.
func where(namespaces []string) string {
	switch {
	case len(namespaces) == 1 && namespaces[0] == "":
		return ""
	case len(namespaces) == 1:
		return fmt.Sprintf("namespace %s: ", namespaces[0])
	default:
		return fmt.Sprintf("namespaces %s: ", strings.Join(namespaces, ", "))
	}
}
