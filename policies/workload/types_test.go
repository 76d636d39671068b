package workload_test

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"

	"embargo.dev/policies/workload"
)

// TestEveryKindWithAPodSpecIsKnown fails when a version of Kubernetes brings a kind
// that embeds a pod spec and that this package doesn't know by type.
func TestEveryKindWithAPodSpecIsKnown(t *testing.T) {
	podSpec := reflect.TypeFor[corev1.PodSpec]()
	for gvk, object := range scheme.Scheme.AllKnownTypes() {
		if holds(object, podSpec, map[reflect.Type]bool{}) && !isList(object) {
			assert.True(t, workload.Builtin(schema.GroupKind{Group: gvk.Group, Kind: gvk.Kind}), "%s embeds a pod spec", gvk)
		}
	}
}

// TestEveryImageFieldIsKnown fails when a version of Kubernetes brings an image to a
// pod spec in a place that this package doesn't read.
func TestEveryImageFieldIsKnown(t *testing.T) {
	known := map[string]bool{
		"InitContainers.Image": true, "Containers.Image": true, "EphemeralContainers.EphemeralContainerCommon.Image": true,
		"Volumes.VolumeSource.Image": true, // with the reference below it
		// of persistent storage, no image of a container:
		"Volumes.VolumeSource.RBD.RBDImage": true,
	}
	var found []string
	imageFields(reflect.TypeFor[corev1.PodSpec](), "", map[reflect.Type]bool{}, &found)
	for _, f := range found {
		assert.True(t, known[f], "PodSpec.%s", f)
	}
	assert.Len(t, found, len(known))
}

func isList(object reflect.Type) bool {
	_, ok := object.FieldByName("Items")
	return ok
}

func holds(t, want reflect.Type, seen map[reflect.Type]bool) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return holds(t.Elem(), want, seen)
	case reflect.Struct:
		if t == want {
			return true
		}
		if seen[t] {
			return false
		}
		seen[t] = true
		for field := range t.Fields() {
			if holds(field.Type, want, seen) {
				return true
			}
		}
	}
	return false
}

func imageFields(t reflect.Type, path string, seen map[reflect.Type]bool, found *[]string) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		imageFields(t.Elem(), path, seen, found)
	case reflect.Struct:
		if seen[t] {
			return
		}
		seen[t] = true
		defer delete(seen, t)
		for f := range t.Fields() {
			name := f.Name
			if path != "" {
				name = path + "." + f.Name
			}
			if f.Name == "Image" || f.Name == "RBDImage" {
				*found = append(*found, name)
				continue
			}
			imageFields(f.Type, name, seen, found)
		}
	}
}
