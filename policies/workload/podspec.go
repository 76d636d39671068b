package workload

import "fmt"

// containerLists are the lists of containers in a pod spec.
var containerLists = []string{"containers", "initContainers", "ephemeralContainers"}

const volumes = "volumes"

// podSpecImages reads a pod spec: every container's image, also a missing one,
// and every image volume's reference.
func podSpecImages(path string, spec map[string]any) []Image {
	var images []Image
	for _, list := range containerLists {
		images = append(images, listImages(path, list, spec[list], containerImage)...)
	}
	return append(images, listImages(path, volumes, spec[volumes], volumeImage)...)
}

// listImages reads the items of a list with a function that says what an item's
// image is, if it has one.
func listImages(template, list string, value any, read func(img *Image, item map[string]any) bool) []Image {
	if value == nil {
		return nil
	}
	path := join(template, list)
	items, ok := value.([]any)
	if !ok {
		return []Image{{Field: path, Template: template, List: list, Unreadable: unlike(value, "a list")}}
	}
	var images []Image
	for i, item := range items {
		if item == nil {
			continue
		}
		img := Image{Field: fmt.Sprintf("%s[%d]", path, i), Template: template, List: list}
		fields, ok := item.(map[string]any)
		if !ok {
			img.Unreadable = unlike(item, "a map")
			images = append(images, img)
			continue
		}
		img.Name, _ = fields["name"].(string)
		if read(&img, fields) {
			images = append(images, img)
		}
	}
	return images
}

func containerImage(img *Image, container map[string]any) bool {
	img.Field += ".image"
	img.read(container["image"])
	return true
}

func volumeImage(img *Image, volume map[string]any) bool {
	source := volume["image"]
	if source == nil {
		return false
	}
	img.Field += ".image"
	fields, ok := source.(map[string]any)
	if !ok {
		img.Unreadable = unlike(source, "a map")
		return true
	}
	img.Field += ".reference"
	img.read(fields["reference"])
	return true
}

// read takes the value of the image field.
func (i *Image) read(value any) {
	switch v := value.(type) {
	case nil:
	case string:
		i.Value = v
	default:
		i.Unreadable = unlike(value, "text")
	}
}

// unlike says what a value is instead of what it should be.
func unlike(value any, want string) string {
	is := "a number"
	switch value.(type) {
	case string:
		is = "text"
	case bool:
		is = "a boolean"
	case map[string]any:
		is = "a map"
	case []any:
		is = "a list"
	}
	return fmt.Sprintf("there is %s where %s should be", is, want)
}
