package workload

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// OfPodSpec reads a pod spec that is decoded already, at a JSON path, as FromMap would
// read it.
func OfPodSpec(path string, spec *corev1.PodSpec) []Image {
	images := make([]Image, 0, len(spec.Containers)+len(spec.InitContainers)+len(spec.EphemeralContainers))
	add := func(list string, i int, name, image string) {
		field := path + "." + list + "[" + strconv.Itoa(i) + "].image"
		images = append(images, Image{Field: field, Template: path, List: list, Name: name, Value: image})
	}
	for i := range spec.Containers {
		add(containerLists[0], i, spec.Containers[i].Name, spec.Containers[i].Image)
	}
	for i := range spec.InitContainers {
		add(containerLists[1], i, spec.InitContainers[i].Name, spec.InitContainers[i].Image)
	}
	for i := range spec.EphemeralContainers {
		add(containerLists[2], i, spec.EphemeralContainers[i].Name, spec.EphemeralContainers[i].Image)
	}
	for i := range spec.Volumes {
		if source := spec.Volumes[i].Image; source != nil {
			field := path + "." + volumes + "[" + strconv.Itoa(i) + "].image.reference"
			images = append(images, Image{Field: field, Template: path, List: volumes, Name: spec.Volumes[i].Name, Value: source.Reference})
		}
	}
	return images
}
