package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Lookalike is what seems to be meant as a Kubernetes object but can't be read as one.
type Lookalike struct {
	File    string
	Line    int
	Message string
}

// Lookalike returns what is wrong with a document, or an item in it, that looks like a
// Kubernetes object but isn't one; nil where nothing does.
func (d *Document) Lookalike() *Lookalike {
	return d.lookalike("", d.Value)
}

func (d *Document) lookalike(prefix string, value any) *Lookalike {
	switch v := value.(type) {
	case []any:
		for i, item := range v {
			if found := d.lookalike(fmt.Sprintf("%s[%d].", prefix, i), item); found != nil {
				return found
			}
		}
	case map[string]any:
		if items, ok := v["items"].([]any); ok && text(v, "apiVersion") != "" && strings.HasSuffix(text(v, "kind"), "List") {
			return d.lookalike(prefix+"items", items)
		}
		if message, key := almostObject(v); message != "" {
			line, _ := d.Position(prefix + key)
			return &Lookalike{File: d.File, Line: line, Message: message}
		}
	}
	return nil
}

// almostObject reports what is wrong with fields that are nearly those of an object, and the
// field that is nearest to the mistake.
func almostObject(fields map[string]any) (message, key string) {
	if text(fields, "apiVersion") != "" && text(fields, "kind") != "" {
		return "", ""
	}
	typeMeta := map[string]string{} // the key as written, by the key as it should be
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		bare := strings.TrimLeft(name, "-. \t\ufeff")
		for _, want := range []string{"apiVersion", "kind"} {
			if _, ok := fields[name].(string); ok && strings.EqualFold(bare, want) && typeMeta[want] != want {
				typeMeta[want] = name
			}
		}
	}
	_, metadata := fields["metadata"].(map[string]any)
	_, spec := fields["spec"].(map[string]any)
	if len(typeMeta) == 0 || len(typeMeta) == 1 && (!metadata || !spec) {
		return "", ""
	}
	for _, want := range []string{"apiVersion", "kind"} {
		switch name, ok := typeMeta[want]; {
		case !ok:
			return fmt.Sprintf("this looks like a Kubernetes object but has no %s, so it is not checked", want), ""
		case name != want:
			return fmt.Sprintf("this looks like a Kubernetes object but has %q instead of %q, so it is not checked", name, want), name
		}
	}
	return "", ""
}
