package workload

import (
	"maps"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// OtherImages returns the text fields named image of a custom resource, beside the images
// that were read of it. Whether somebody starts a container from them isn't known.
func OtherImages(kind schema.GroupKind, object map[string]any, read []Image) []Image {
	if Builtin(kind) || ignored(kind) {
		return nil
	}
	o := others{read: read}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if key != "status" && key != "metadata" {
			o.member("", key, object, 0)
		}
	}
	return o.found
}

type others struct {
	read, found []Image
}

func (o *others) member(path, key string, fields map[string]any, depth int) {
	if text, ok := fields[key].(string); ok && key == "image" {
		img := Image{Field: join(path, key), Template: path, Value: text}
		if !slices.ContainsFunc(o.read, func(r Image) bool { return r.Field == img.Field }) {
			o.found = append(o.found, img)
		}
		return
	}
	o.value(join(path, key), fields[key], depth+1)
}

func (o *others) value(path string, value any, depth int) {
	if depth > maxDepth {
		return // it is said to be unread
	}
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			o.member(path, key, v, depth)
		}
	case []any:
		for i, item := range v {
			o.value(path+"["+strconv.Itoa(i)+"]", item, depth+1)
		}
	}
}
