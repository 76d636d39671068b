package command

import (
	"fmt"
	"maps"

	"embargo.dev/cmd/kubectl-embargo/internal/manifest"
	"embargo.dev/policies"
	"embargo.dev/policies/workload"
)

// namespaceLabels are the labels of namespaces, from the Namespace objects in files. A
// namespace whose objects disagree is unknown: a tree may hold one for each environment.
type namespaceLabels struct {
	known    map[string]policies.Namespace
	places   map[string]string // of the first object
	disputed map[string]string // places of two objects that disagree
}

func (l *namespaceLabels) add(o manifest.Object) {
	if l.known == nil {
		l.known, l.places, l.disputed = map[string]policies.Namespace{}, map[string]string{}, map[string]string{}
	}
	object := workload.FromMap(o.Kind().GroupKind(), o.Fields)
	line, _ := o.Position("metadata.labels")
	place := fmt.Sprintf("%s:%d", o.Document.File, line)
	name := object.Name
	first, seen := l.places[name]
	switch {
	case !seen:
		l.known[name], l.places[name] = policies.Namespace{Name: name, Labels: o.Labels(), Known: true}, place
	case l.disputed[name] == "" && !maps.Equal(l.known[name].Labels, o.Labels()):
		l.disputed[name] = fmt.Sprintf("%s and %s", first, place)
		delete(l.known, name)
	}
}

// lookup returns what is known of a namespace.
func (l *namespaceLabels) lookup(name string) policies.Namespace {
	if ns, ok := l.known[name]; ok {
		return ns
	}
	return policies.Namespace{Name: name}
}
