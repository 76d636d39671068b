package workload

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Schema is as much of an OpenAPI v3 schema, as CustomResourceDefinitions and the API
// server's /openapi/v3 have it, as tells where objects may embed a pod template. All
// else, such as descriptions, is dropped while decoding.
type Schema struct {
	Ref                  string             `json:"$ref"`
	Type                 string             `json:"type"`
	Properties           map[string]*Schema `json:"properties"`
	Items                *Schema            `json:"items"`
	AdditionalProperties *schemaOrBool      `json:"additionalProperties"`
	AllOf                []*Schema          `json:"allOf"`
	AnyOf                []*Schema          `json:"anyOf"`
	OneOf                []*Schema          `json:"oneOf"`
	KeepsUnknown         bool               `json:"x-kubernetes-preserve-unknown-fields"`
	EmbedsResource       bool               `json:"x-kubernetes-embedded-resource"`
	IntOrString          bool               `json:"x-kubernetes-int-or-string"`
}

// schemaOrBool is a schema, or whether anything is allowed.
type schemaOrBool struct {
	schema  *Schema
	allowed bool
}

// UnmarshalJSON reads either form.
func (s *schemaOrBool) UnmarshalJSON(text []byte) error {
	if err := json.Unmarshal(text, &s.allowed); err == nil {
		return nil
	}
	return json.Unmarshal(text, &s.schema)
}

// Schemas searches schemas for places where objects may embed a pod template.
type Schemas struct {
	// Definitions are what a $ref points to, by the last segment of the reference.
	Definitions map[string]*Schema
	// Open says that an object without properties may hold anything. The API server
	// prunes it in a custom resource; another server, that of an aggregated API, may
	// not.
	Open bool
}

// maxSchema bounds how many schemas are looked at for a kind. One that is larger is
// taken to embed a pod template.
const maxSchema = 200_000

// Images returns the path of the first place, in the order of the names, where an object
// of a kind may carry what Decode would find, "" where it can't; and whether the schema,
// or the list of fields, says so: what keeps unknown fields may embed anything. Metadata
// and status don't count.
func (s Schemas) Images(kind schema.GroupKind, of *Schema) (path string, said bool) {
	if ignored(kind) {
		return "", false
	}
	if path := (&walk{Schemas: s, seen: map[string]bool{}}).search(of); path != "" {
		return path, true
	}
	if path := firstListed(kind); path != "" {
		return path, true
	}
	return (&walk{Schemas: s, seen: map[string]bool{}, guess: true}).search(of), false
}

// search searches the schema of a kind.
func (w *walk) search(kind *Schema) string {
	kind = w.resolve(kind)
	switch {
	case kind == nil:
		return ""
	case w.unknown(kind):
		return "*"
	}
	for _, name := range slices.Sorted(maps.Keys(kind.Properties)) {
		if name == "metadata" || name == "status" {
			continue
		}
		if found := w.find(name, kind.Properties[name]); found != "" {
			return found
		}
	}
	if w.carries(kind) {
		return "*"
	}
	return w.composed("", kind)
}

// walk is one search.
type walk struct {
	Schemas

	looked int
	seen   map[string]bool // definitions that were entered
	guess  bool            // whether what may hold anything counts
}

func (w *walk) find(path string, s *Schema) string {
	if s == nil {
		return ""
	}
	if w.looked++; w.looked > maxSchema {
		return path
	}
	if s.Ref != "" {
		if w.seen[s.Ref] {
			return ""
		}
		w.seen[s.Ref] = true
		if s = w.resolve(s); s == nil && w.guess {
			return path // it isn't said what stands there
		} else if s == nil {
			return ""
		}
	}
	if w.unknown(s) || w.carries(s) {
		return path
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if found := w.find(join(path, name), s.Properties[name]); found != "" {
			return found
		}
	}
	if found := w.find(path+"[]", s.Items); found != "" {
		return found
	}
	if s.AdditionalProperties != nil {
		if found := w.find(path+"[*]", s.AdditionalProperties.schema); found != "" {
			return found
		}
	}
	return w.composed(path, s)
}

// composed searches what a schema is composed of.
func (w *walk) composed(path string, s *Schema) string {
	for _, part := range slices.Concat(s.AllOf, s.AnyOf, s.OneOf) {
		if found := w.find(path, part); found != "" {
			return found
		}
	}
	return ""
}

// resolve follows references.
func (w *walk) resolve(s *Schema) *Schema {
	for range 8 {
		if s == nil {
			return nil
		}
		target := s.Ref
		if target == "" && len(s.AllOf) == 1 && s.Type == "" && len(s.Properties) == 0 {
			target = s.AllOf[0].Ref // a reference with a description beside it
		}
		if target == "" {
			return s
		}
		s = w.Definitions[target[strings.LastIndexByte(target, '/')+1:]]
	}
	return s
}

// unknown reports whether anything may stand there.
func (w *walk) unknown(s *Schema) bool {
	if !w.guess {
		return false
	}
	if s.KeepsUnknown || s.EmbedsResource || s.AdditionalProperties != nil && s.AdditionalProperties.allowed {
		return true
	}
	composed := len(s.AllOf)+len(s.AnyOf)+len(s.OneOf) > 0
	bare := len(s.Properties) == 0 && s.AdditionalProperties == nil && !composed
	return bare && w.Open && (s.Type == "object" || s.Type == "" && !s.IntOrString)
}

// carries reports whether a map has a list whose items have an image, so that its
// images are found by structure.
func (w *walk) carries(s *Schema) bool {
	return slices.ContainsFunc(templateLists, func(name string) bool {
		list := w.resolve(s.Properties[name])
		if list == nil {
			return false
		}
		if list.Type != "array" {
			return w.unknown(list)
		}
		item := w.resolve(list.Items)
		if item == nil {
			return false
		}
		image := w.resolve(item.Properties["image"])
		return w.unknown(item) || image != nil && (image.Type == "string" || w.unknown(image))
	})
}
