package workload

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// maxDepth bounds how deep an object is searched. Pod templates in known custom
// resources lie within a dozen levels; what nests deeper than this is said to be
// unread.
const maxDepth = 64

// templateLists are the lists that make a map look like a pod spec: those of
// Kubernetes, and Tekton's steps and sidecars.
var templateLists = []string{"containers", "initContainers", "ephemeralContainers", "steps", "sidecars"}

// findImages searches an object of a kind for what looks like a pod spec, and for the
// listed fields. The status at the top is left out, since it only repeats what was decided
// elsewhere, and so is the metadata, which holds no structure of the object's own.
func findImages(kind schema.GroupKind, object map[string]any) []Image {
	if kind.Kind == templateKind {
		object = withoutIgnored(object)
	}
	s := &search{images: templateImages("", object)}
	paths := fieldsOf()[kind]
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if key != "status" && key != "metadata" {
			s.member(holder{}, "", key, object, 0, paths)
		}
	}
	return s.images
}

type search struct{ images []Image }

// holder is the item of a list that a value stands in: of the innermost one.
type holder struct{ list, name string }

// member searches the value of a key.
func (s *search) member(in holder, path, key string, fields map[string]any, depth int, paths []fieldPath) {
	paths = follow(paths, key)
	if reached(paths) {
		s.images = append(s.images, singleImage(in, path, key, fields)...)
	}
	s.value(in, key, join(path, key), fields[key], depth+1, paths)
}

func (s *search) value(in holder, key, path string, value any, depth int, paths []fieldPath) {
	if depth > maxDepth {
		s.tooDeep(path, value)
		return
	}
	switch v := value.(type) {
	case map[string]any:
		s.images = append(s.images, templateImages(path, v)...)
		paths = slices.Concat(paths, embeddedFields(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			s.member(in, path, name, v, depth, paths)
		}
	case []any:
		paths = follow(paths, eachItem)
		for i, item := range v {
			fields, _ := item.(map[string]any)
			name, _ := fields["name"].(string)
			s.value(holder{key, name}, "", path+"["+strconv.Itoa(i)+"]", item, depth+1, paths)
		}
	}
}

// tooDeep makes what isn't searched visible; a single value has nothing to search.
func (s *search) tooDeep(path string, value any) {
	switch value.(type) {
	case map[string]any, []any:
		s.images = append(s.images, Image{Field: path, Template: path, Unreadable: fmt.Sprintf("it lies more than %d levels deep", maxDepth)})
	}
}

// templateImages reads a map that looks like a pod spec; nothing where it doesn't. A
// list whose items state no image as text is something else, such as an operator's
// settings that have repository and tag apart.
func templateImages(path string, fields map[string]any) []Image {
	var images []Image
	for _, list := range templateLists {
		items, _ := fields[list].([]any)
		if found := listImages(path, list, mapsOf(items), statedImage); slices.ContainsFunc(found, readable) {
			images = append(images, found...)
		}
	}
	if len(images) == 0 {
		return nil
	}
	if items, ok := fields[volumes].([]any); ok {
		images = append(images, listImages(path, volumes, mapsOf(items), volumeImage)...)
	}
	return images
}

// mapsOf blanks the items that are no maps: by structure they mean nothing.
func mapsOf(items []any) []any {
	kept := make([]any, len(items))
	for i, item := range items {
		if m, ok := item.(map[string]any); ok {
			kept[i] = m
		}
	}
	return kept
}

// statedImage reads an item's image where it has one: by structure alone, an item
// without is no container.
func statedImage(img *Image, item map[string]any) bool {
	if item["image"] == nil {
		return false
	}
	return containerImage(img, item)
}

func readable(img Image) bool { return img.Unreadable == "" }

var plainKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// join adds a key to a JSON path.
func join(path, key string) string {
	switch {
	case !plainKey.MatchString(key):
		return path + "[" + strconv.Quote(key) + "]"
	case path == "":
		return key
	default:
		return path + "." + key
	}
}
