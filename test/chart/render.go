// Package chart renders the chart with the true Helm, and the kustomizations with the
// true kubectl, as objects that can be compared.
package chart

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// Objects are the objects of a rendering, by kind and name.
type Objects map[string]*unstructured.Unstructured

// Parse reads all documents of a rendering, strictly.
func Parse(text string) (Objects, error) {
	objects := Objects{}
	documents := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		object := &unstructured.Unstructured{}
		if err := yaml.UnmarshalStrict(document, &object.Object); err != nil {
			return nil, fmt.Errorf("%w in:\n%s", err, bytes.TrimSpace(document))
		}
		if len(object.Object) == 0 {
			continue // nothing but comments
		}
		key := object.GetKind() + "/" + object.GetName()
		if _, twice := objects[key]; twice {
			return nil, fmt.Errorf("%s is there twice", key)
		}
		objects[key] = object
	}
}

// At returns what stands at a path, such as "spec", "replicas"; nil where nothing does.
func (o Objects) At(key string, path ...string) any {
	object, ok := o[key]
	if !ok {
		return nil
	}
	value, _, err := unstructured.NestedFieldNoCopy(object.Object, path...)
	if err != nil {
		return nil
	}
	return value
}

// Pod returns what stands at a path of the Deployment's pod spec.
func (o Objects) Pod(path ...string) any {
	return o.At("Deployment/embargo", append([]string{"spec", "template", "spec"}, path...)...)
}

// Container returns a field of the controller's container.
func (o Objects) Container(field string) any {
	containers, _ := o.Pod("containers").([]any)
	if len(containers) == 0 {
		return nil
	}
	container, _ := containers[0].(map[string]any)
	return container[field]
}
