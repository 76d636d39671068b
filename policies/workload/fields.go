package workload

import (
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Fields are the fields in which kinds name the image of a container that stands in no
// list of containers, so that structure doesn't tell it.
type Fields struct {
	Group  string
	Kinds  []string
	Paths  []string // JSON paths in which [] is each item, [*] each value and ** any way down
	Source string   // the public repository whose definition of the kinds has the fields
}

// Steps of a path that stand for more than a key.
const (
	eachItem  = "[]"
	eachValue = "[*]"
	anyWay    = "**"
)

// fieldPath is the way to an image field, or the rest of it.
type fieldPath []string

// parsePath reads a path as Fields has them.
func parsePath(text string) fieldPath {
	var steps fieldPath
	for key := range strings.SplitSeq(text, ".") {
		name, _, _ := strings.Cut(key, "[")
		steps = append(steps, name)
		for rest := key[len(name):]; rest != ""; {
			end := strings.IndexByte(rest, ']') + 1
			steps = append(steps, rest[:end])
			rest = rest[end:]
		}
	}
	return steps
}

// fieldsOf has the listed fields by kind.
var fieldsOf = sync.OnceValue(func() map[schema.GroupKind][]fieldPath {
	all := map[schema.GroupKind][]fieldPath{}
	for _, f := range listedFields {
		for _, kind := range f.Kinds {
			gk := schema.GroupKind{Group: f.Group, Kind: kind}
			for _, path := range f.Paths {
				all[gk] = append(all[gk], parsePath(path))
			}
		}
	}
	return all
})

// ListedFields returns the fields of custom resources that are read wherever they stand,
// sorted by group.
func ListedFields() []Fields { return slices.Clone(listedFields) }

// firstListed returns the first listed field of a kind, "" where it has none.
func firstListed(kind schema.GroupKind) string {
	for _, f := range listedFields {
		if f.Group == kind.Group && slices.Contains(f.Kinds, kind.Kind) {
			return f.Paths[0]
		}
	}
	return ""
}

// follow returns what is left of the paths after a step, a key or eachItem.
func follow(paths []fieldPath, step string) []fieldPath {
	var left []fieldPath
	for _, p := range paths {
		if len(p) > 0 && p[0] == anyWay {
			left = append(left, p)
			p = p[1:]
		}
		if len(p) > 0 && (p[0] == step || p[0] == eachValue && step != eachItem) {
			left = append(left, p[1:])
		}
	}
	return left
}

// reached reports whether one of the paths ends here.
func reached(paths []fieldPath) bool {
	return slices.ContainsFunc(paths, func(p fieldPath) bool { return len(p) == 0 })
}

// embeddedFields returns the listed fields of an object that stands inside of another
// one, such as a Workflow in the Sensor that creates it.
func embeddedFields(fields map[string]any) []fieldPath {
	kind, _ := fields["kind"].(string)
	apiVersion, _ := fields["apiVersion"].(string)
	if kind == "" || apiVersion == "" {
		return nil
	}
	return fieldsOf()[schema.FromAPIVersionAndKind(apiVersion, kind).GroupKind()]
}

// singleImage reads an image field that stands in no list of containers. One that is
// empty is not set, and one that is a map has repository and tag apart.
func singleImage(in holder, path, key string, fields map[string]any) []Image {
	value := fields[key]
	if _, apart := value.(map[string]any); apart || value == nil || value == "" {
		return nil
	}
	img := Image{Field: join(path, key), Template: path}
	img.Name, _ = fields["name"].(string)
	if in.list == volumes {
		img.List, img.Name = volumes, in.name
	}
	img.read(value)
	return []Image{img}
}
