package workload

import (
	"fmt"
	"strconv"

	fast "github.com/go-json-experiment/json"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/json"
)

// Decode reads an object of a kind from JSON, as FromMap would read the decoded
// map. Nothing, or null, is an object without anything. It fails on what is not
// JSON, or no map.
//
// Kubernetes' own kinds come in their right shape from an API server, so only the
// fields that count are decoded, by a decoder that is three times as fast and refuses
// what can be read in two ways; an odd shape takes the long way. Both compare keys
// exactly, as the API server does: the standard library would take Image for image.
func Decode(kind schema.GroupKind, raw []byte) (Object, error) {
	if _, known := places[kind]; known {
		if o, ok := decodeKnown(kind, raw); ok {
			return o, nil
		}
	}
	var object map[string]any
	if len(raw) == 0 {
		return Object{}, nil
	}
	if err := json.UnmarshalCaseSensitivePreserveInts(raw, &object); err != nil {
		return Object{}, fmt.Errorf("not a JSON object: %w", err)
	}
	return FromMap(kind, object), nil
}

// known is the union of the shapes of the kinds in places.
type known struct {
	Metadata metadata `json:"metadata"`
	Spec     struct {
		knownPodSpec

		Template    knownTemplate `json:"template"`
		JobTemplate struct {
			Spec struct {
				Template knownTemplate `json:"template"`
			} `json:"spec"`
		} `json:"jobTemplate"`
	} `json:"spec"`
	Template knownTemplate `json:"template"`
}

type knownTemplate struct {
	Spec knownPodSpec `json:"spec"`
}

type knownPodSpec struct {
	NodeName            string            `json:"nodeName"`
	Containers          []*knownContainer `json:"containers"`
	InitContainers      []*knownContainer `json:"initContainers"`
	EphemeralContainers []*knownContainer `json:"ephemeralContainers"`
	Volumes             []*knownVolume    `json:"volumes"`
}

type knownContainer struct {
	Name  string `json:"name"`
	Image string `json:"image"`
}

type knownVolume struct {
	Name  string `json:"name"`
	Image *struct {
		Reference string `json:"reference"`
	} `json:"image"`
}

// decodeKnown reports false where the object is not in the shape of its kind, or
// names a field twice.
func decodeKnown(kind schema.GroupKind, raw []byte) (Object, bool) {
	var k known
	if err := fast.Unmarshal(raw, &k); err != nil {
		return Object{}, false
	}
	o := k.Metadata.object()
	place := places[kind]
	spec := k.podSpec(place)
	if kind == podKind {
		o.NodeName = spec.NodeName
	}
	o.Images = spec.images(place.String())
	return o, true
}

// podSpec returns the pod spec at a place.
func (k *known) podSpec(at place) *knownPodSpec {
	switch {
	case len(at) == 1:
		return &k.Spec.knownPodSpec
	case at[0] == "template":
		return &k.Template.Spec
	case at[1] == "jobTemplate":
		return &k.Spec.JobTemplate.Spec.Template.Spec
	default:
		return &k.Spec.Template.Spec
	}
}

func (s *knownPodSpec) images(path string) []Image {
	var images []Image
	for i, list := range [][]*knownContainer{s.Containers, s.InitContainers, s.EphemeralContainers} {
		for j, c := range list {
			if c != nil {
				name := containerLists[i]
				images = append(images, Image{Field: path + "." + name + "[" + strconv.Itoa(j) + "].image", Template: path, List: name, Name: c.Name, Value: c.Image})
			}
		}
	}
	for i, v := range s.Volumes {
		if v != nil && v.Image != nil {
			images = append(images, Image{Field: path + ".volumes[" + strconv.Itoa(i) + "].image.reference", Template: path, List: volumes, Name: v.Name, Value: v.Image.Reference})
		}
	}
	return images
}
