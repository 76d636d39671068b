package workload

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// place is where a kind keeps its pod spec, as keys from the object down.
type place []string

// String returns the place as a JSON path.
func (p place) String() string { return strings.Join(p, ".") }

var (
	podKind = schema.GroupKind{Kind: "Pod"}

	podSpec      = place{"spec"}
	templateSpec = place{"spec", "template", "spec"}
)

// places are the kinds whose pod spec is known by type. A kind counts in every
// version of its group, and in the group that it came from.
var places = map[schema.GroupKind]place{
	podKind:                                   podSpec,
	{Kind: "PodTemplate"}:                     {"template", "spec"},
	{Kind: "ReplicationController"}:           templateSpec,
	{Group: "apps", Kind: "ReplicaSet"}:       templateSpec,
	{Group: "apps", Kind: "Deployment"}:       templateSpec,
	{Group: "apps", Kind: "StatefulSet"}:      templateSpec,
	{Group: "apps", Kind: "DaemonSet"}:        templateSpec,
	{Group: "extensions", Kind: "ReplicaSet"}: templateSpec,
	{Group: "extensions", Kind: "Deployment"}: templateSpec,
	{Group: "extensions", Kind: "DaemonSet"}:  templateSpec,
	{Group: "batch", Kind: "Job"}:             templateSpec,
	{Group: "batch", Kind: "CronJob"}:         {"spec", "jobTemplate", "spec", "template", "spec"},
}

// controllerRevision holds a StatefulSet's or DaemonSet's template below data, or
// whatever another controller puts there: it is found by structure.
var controllerRevision = schema.GroupKind{Group: "apps", Kind: "ControllerRevision"}

// Builtin reports whether objects of the kind are Kubernetes' own, and so stored
// only in the right shape and with images that are meant as written.
func Builtin(kind schema.GroupKind) bool {
	_, known := places[kind]
	return known || kind == controllerRevision
}

// descend returns the map at a place. Where something else stands in its way,
// that is returned as an image that can't be read; where nothing stands there,
// neither is.
func descend(object map[string]any, to place) (map[string]any, []Image) {
	current := object
	for i, key := range to {
		value := current[key]
		if value == nil {
			return nil, nil
		}
		next, ok := value.(map[string]any)
		if !ok {
			path := to[:i+1].String()
			return nil, []Image{{Field: path, Template: path, Unreadable: unlike(value, "a map")}}
		}
		current = next
	}
	return current, nil
}
