package workload

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Object is what Embargo reads of an object.
type Object struct {
	Name         string
	GenerateName string
	Namespace    string
	UID          string
	NodeName     string          // of a Pod
	Deleting     bool            // a deletion timestamp is set
	MirrorPod    bool            // it says it mirrors a static pod; whether it does depends on who says so
	Controller   *OwnerReference // the owner that controls it, nil if none
	Images       []Image         // in the order of the document
}

// OwnerReference names an owner.
type OwnerReference struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	UID        string `json:"uid"`
	Controller *bool  `json:"controller"`
}

// Image is one image field.
type Image struct {
	Field    string // JSON path: spec.template.spec.containers[0].image, spec.volumes[2].image.reference
	Template string // JSON path of the map that holds the list, or the field itself: spec.template.spec
	List     string // containers, initContainers, ephemeralContainers, volumes, steps or sidecars; "" outside of these
	Name     string // of the container or volume, "" where it has none
	Value    string // as written; "" also where a built-in kind lacks it
	// Unreadable says why the field can't be read as text, "" where it can.
	Unreadable string
}

// mirrorAnnotation marks the API server's copy of a static pod (Kubernetes'
// kubelet, pkg/kubelet/types).
const mirrorAnnotation = "kubernetes.io/config.mirror"

// metadata is what is read of an object's metadata.
type metadata struct {
	Name              string            `json:"name"`
	GenerateName      string            `json:"generateName"`
	Namespace         string            `json:"namespace"`
	UID               string            `json:"uid"`
	DeletionTimestamp *string           `json:"deletionTimestamp"`
	Annotations       map[string]string `json:"annotations"`
	OwnerReferences   []OwnerReference  `json:"ownerReferences"`
}

// object returns the Object that the metadata describes, without images.
func (m *metadata) object() Object {
	o := Object{Name: m.Name, GenerateName: m.GenerateName, Namespace: m.Namespace, UID: m.UID, Deleting: m.DeletionTimestamp != nil}
	_, o.MirrorPod = m.Annotations[mirrorAnnotation]
	for i := range m.OwnerReferences {
		if ref := &m.OwnerReferences[i]; ref.Controller != nil && *ref.Controller {
			o.Controller = ref
			break
		}
	}
	return o
}

// FromMap reads an object of a kind from its decoded JSON. Odd shapes are no
// error: in metadata they count as absent, elsewhere they become images that say
// what is wrong.
func FromMap(kind schema.GroupKind, object map[string]any) Object {
	meta := metadataFromMap(object["metadata"])
	o := meta.object()
	place, known := places[kind]
	switch {
	case known:
		spec, unreadable := descend(object, place)
		o.Images = unreadable
		if spec != nil {
			o.NodeName, _ = spec["nodeName"].(string)
			o.Images = podSpecImages(place.String(), spec)
		}
	case !ignored(kind):
		o.Images = findImages(kind, object)
	}
	if kind != podKind {
		o.NodeName = ""
	}
	return o
}

// metadataFromMap reads what has the right shape.
func metadataFromMap(value any) metadata {
	from, _ := value.(map[string]any)
	text := func(m map[string]any, key string) string {
		s, _ := m[key].(string)
		return s
	}
	m := metadata{Name: text(from, "name"), GenerateName: text(from, "generateName"), Namespace: text(from, "namespace"), UID: text(from, "uid")}
	if at := text(from, "deletionTimestamp"); at != "" {
		m.DeletionTimestamp = &at
	}
	if annotations, _ := from["annotations"].(map[string]any); annotations != nil {
		if s, ok := annotations[mirrorAnnotation].(string); ok {
			m.Annotations = map[string]string{mirrorAnnotation: s}
		}
	}
	references, _ := from["ownerReferences"].([]any)
	for _, item := range references {
		ref, _ := item.(map[string]any)
		controller, _ := ref["controller"].(bool)
		m.OwnerReferences = append(m.OwnerReferences, OwnerReference{
			APIVersion: text(ref, "apiVersion"), Kind: text(ref, "kind"), Name: text(ref, "name"), UID: text(ref, "uid"), Controller: &controller,
		})
	}
	return m
}
