package declared

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"embargo.dev/policies/v1alpha1"
)

// kinds are what may be declared, by how keys begin.
var kinds = []kind{
	{"restrictedvendor", "RestrictedVendor", func() any { return &v1alpha1.RestrictedVendor{} }},
	{"vendorpolicy", "VendorPolicy", func() any { return &v1alpha1.VendorPolicy{} }},
	{"vendorwaiver", "VendorWaiver", func() any { return &v1alpha1.VendorWaiver{} }},
}

type kind struct {
	prefix string
	name   string
	typed  func() any // to read strictly into
}

func (k kind) gvk() schema.GroupVersionKind { return v1alpha1.GroupVersion.WithKind(k.name) }

// id names an object that is declared.
type id struct{ kind, name string }

// entry is a key of the ConfigMap with the object that it declares.
type entry struct {
	key    string
	id     id
	object *unstructured.Unstructured
}

// parse reads the entries of a ConfigMap, in the order in which they are applied. An
// entry that can't be read is told with its key, and the rest is read. The names are of
// all objects that are declared, readable or not: none of them may be deleted. They are
// unknown where a key itself can't be read.
func parse(data map[string]string) (entries []entry, names map[id]bool, problems []problem) {
	names = map[id]bool{}
	for _, key := range slices.Sorted(maps.Keys(data)) {
		kind, name, ok := declares(key)
		if !ok {
			problems = append(problems, problem{key: key, err: errKey})
			continue
		}
		declared := id{kind.name, name}
		names[declared] = true
		object, err := kind.read(data[key], name)
		if err != nil {
			problems = append(problems, problem{key, declared, err})
			continue
		}
		entries = append(entries, entry{key, declared, object})
	}
	if slices.ContainsFunc(problems, func(p problem) bool { return errors.Is(p.err, errKey) }) {
		names = nil
	}
	return entries, names, problems
}

var errKey = errors.New("the key names no object; want restrictedvendor.NAME.yaml, vendorpolicy.NAME.yaml or vendorwaiver.NAME.yaml")

// declares returns the kind and the name of the object that a key declares. Keys sort as
// they are to be applied.
func declares(key string) (k kind, name string, ok bool) {
	prefix, rest, _ := strings.Cut(key, ".")
	name, isYAML := strings.CutSuffix(rest, ".yaml")
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.prefix == prefix })
	if i < 0 || !isYAML || len(validation.IsDNS1123Subdomain(name)) > 0 {
		return kind{}, "", false
	}
	return kinds[i], name, true
}

// read reads an object strictly: a misspelt field that is quietly dropped would leave
// something unrestricted.
func (k kind) read(text, name string) (*unstructured.Unstructured, error) {
	content, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("reading the object: %w", err)
	}
	unknown, err := json.UnmarshalStrict(content, k.typed())
	if err := errors.Join(append(unknown, err)...); err != nil {
		return nil, fmt.Errorf("reading the object: %w", err)
	}
	object := &unstructured.Unstructured{}
	if err := json.UnmarshalCaseSensitivePreserveInts(content, &object.Object); err != nil {
		return nil, fmt.Errorf("reading the object: %w", err)
	}
	if object.GroupVersionKind() != k.gvk() || object.GetName() != name {
		return nil, fmt.Errorf("the object is %s %q of %s, and the key says %s %q of %s",
			object.GetKind(), object.GetName(), object.GetAPIVersion(), k.name, name, v1alpha1.GroupVersion)
	}
	unstructured.RemoveNestedField(object.Object, "status")
	labels := object.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[listLabel] = listValues
	object.SetLabels(labels)
	return object, nil
}
