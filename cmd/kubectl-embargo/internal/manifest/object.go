package manifest

import (
	"fmt"
	"maps"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Object is a Kubernetes object in a document: the whole of it, or an item of a list.
type Object struct {
	Document *Document
	Fields   map[string]any

	prefix string // of its paths in the document
}

// Objects returns the Kubernetes objects of a document, lists taken apart, and how
// many things there are no Kubernetes objects: the document itself, or items.
func (d *Document) Objects() (objects []Object, others int) {
	return flatten(Object{Document: d}, d.Value)
}

func flatten(o Object, value any) (objects []Object, others int) {
	if array, ok := value.([]any); ok {
		return flattenArray(o, array)
	}
	fields, ok := value.(map[string]any)
	if !ok || text(fields, "apiVersion") == "" || text(fields, "kind") == "" {
		return nil, 1
	}
	o.Fields = fields
	items, ok := fields["items"].([]any)
	if !ok || !strings.HasSuffix(text(fields, "kind"), "List") {
		return []Object{o}, 0
	}
	for i, item := range items {
		inner, n := flatten(Object{Document: o.Document, prefix: fmt.Sprintf("%sitems[%d].", o.prefix, i)}, o.typed(item))
		objects, others = append(objects, inner...), others+n
	}
	return objects, others
}

// flattenArray reads an array of objects, as jq and API clients write it. One without any
// object is another document.
func flattenArray(o Object, array []any) (objects []Object, others int) {
	for i, item := range array {
		if _, nested := item.([]any); nested {
			others++
			continue
		}
		inner, n := flatten(Object{Document: o.Document, prefix: fmt.Sprintf("%s[%d].", o.prefix, i)}, item)
		objects, others = append(objects, inner...), others+n
	}
	if len(objects) == 0 {
		return nil, 1
	}
	return objects, others
}

// typed fills in what the item of a typed list, such as a PodList, needn't say: what
// it is.
func (o Object) typed(item any) any {
	fields, ok := item.(map[string]any)
	kind := strings.TrimSuffix(text(o.Fields, "kind"), "List")
	if !ok || kind == "" || text(fields, "kind") != "" {
		return item
	}
	fields = maps.Clone(fields)
	fields["apiVersion"], fields["kind"] = o.Fields["apiVersion"], kind
	return fields
}

func text(fields map[string]any, key string) string {
	s, _ := fields[key].(string)
	return s
}

// Kind returns the object's kind.
func (o Object) Kind() schema.GroupVersionKind {
	return schema.FromAPIVersionAndKind(text(o.Fields, "apiVersion"), text(o.Fields, "kind"))
}

// Labels returns the labels in the object's metadata.
func (o Object) Labels() map[string]string {
	metadata, _ := o.Fields["metadata"].(map[string]any)
	from, _ := metadata["labels"].(map[string]any)
	labels := make(map[string]string, len(from))
	for key, value := range from {
		if s, ok := value.(string); ok {
			labels[key] = s
		}
	}
	return labels
}

// Position returns line and column of a field of the object.
func (o Object) Position(field string) (line, column int) {
	return o.Document.Position(o.prefix + field)
}

// Place returns the place of a field of the object.
func (o Object) Place(field string) Place {
	return o.Document.Place(o.prefix + field)
}

// Error returns an error about a field of the object, with its line.
func (o Object) Error(field string, err error) *Error {
	line, _ := o.Position(field)
	return &Error{File: o.Document.File, Line: line, Err: err}
}
