package workload_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"pgregory.net/rapid"

	"embargo.dev/policies/workload"
)

// TestADecodedPodSpecReadsAsItsJSON compares the two ways to read a pod spec.
func TestADecodedPodSpecReadsAsItsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var spec corev1.PodSpec
		image := func() string { return rapid.SampledFrom([]string{"", "nginx", "a/b:1", "UPPER", " "}).Draw(t, "image") }
		for i := range rapid.IntRange(0, 3).Draw(t, "containers") {
			name := fmt.Sprint("c", i)
			spec.Containers = append(spec.Containers, corev1.Container{Name: name, Image: image()})
			spec.InitContainers = append(spec.InitContainers, corev1.Container{Name: "i" + name, Image: image()})
			spec.EphemeralContainers = append(spec.EphemeralContainers, corev1.EphemeralContainer{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "e" + name, Image: image()}})
			spec.Volumes = append(spec.Volumes, corev1.Volume{Name: name})
			if rapid.Bool().Draw(t, "image volume") {
				spec.Volumes[i].Image = &corev1.ImageVolumeSource{Reference: image()}
			}
		}
		fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&corev1.Pod{Spec: spec})
		require.NoError(t, err)
		want := workload.FromMap(schema.GroupKind{Kind: "Pod"}, fields).Images
		assert.ElementsMatch(t, want, workload.OfPodSpec("spec", &spec))
		if len(want) > 0 {
			assert.Equal(t, want, workload.OfPodSpec("spec", &spec), "in the same order")
		}
	})
}
