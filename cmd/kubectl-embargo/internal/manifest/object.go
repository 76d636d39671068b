package manifest

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Object is a Kubernetes object in a document: the whole of it, or an item of a list.
type Object struct {
	Document *Document
	Fields   map[string]any

	prefix string // of its paths in the document
}

// Objects returns the Kubernetes objects of a document, lists taken apart; none where
// the document is no Kubernetes object.
func (d *Document) Objects() []Object {
	fields, ok := d.Value.(map[string]any)
	if !ok {
		return nil
	}
	return flatten(Object{Document: d, Fields: fields})
}

func flatten(o Object) []Object {
	if text(o.Fields, "apiVersion") == "" || text(o.Fields, "kind") == "" {
		return nil
	}
	items, isList := o.Fields["items"].([]any)
	if !isList || !strings.HasSuffix(o.Kind().Kind, "List") {
		return []Object{o}
	}
	var objects []Object
	for i, item := range items {
		if fields, ok := item.(map[string]any); ok {
			objects = append(objects, flatten(Object{Document: o.Document, Fields: fields, prefix: fmt.Sprintf("%sitems[%d].", o.prefix, i)})...)
		}
	}
	return objects
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
