package audit

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// bytesPerPod is what a Pod may take in the inventory, its ReplicaSet and Deployment
// included.
const bytesPerPod = 600

// TestManyPodsTakeLittleMemory fills an inventory with a tenth of what is meant to fit,
// and with all of it.
func TestManyPodsTakeLittleMemory(t *testing.T) {
	var perPod [2]float64
	for i, size := range []int{10_000, 100_000} {
		before := heap()
		c := crowd(t, size)
		perPod[i] = float64(heap()-before) / float64(size)
		t.Logf("%d Pods: %.0f bytes each", size, perPod[i])
		assert.Equal(t, size+size/5, c.inventory.Len())
		assert.LessOrEqual(t, perPod[i], float64(bytesPerPod))
	}
	assert.Less(t, perPod[1], 1.3*perPod[0], "growth is linear")
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// crowd is a cluster of Deployments with ten Pods each, one in twenty of them suspect.
func crowd(t *testing.T, size int) *cluster {
	t.Helper()
	c := newCluster(t, later)
	for i := range size / 10 {
		image := fmt.Sprintf("registry.example.com/team-%d/service-%d:1.%d", i%37, i%211, i%5)
		if i%20 == 0 {
			image = agent
		}
		d := deployment(fmt.Sprintf("service-%05d", i), image, announced)
		rs := replicaSet(fmt.Sprintf("service-%05d-6d4b75cb6d", i), image, announced, d, 10)
		c.list(in(d, i), in(rs, i))
		for j, o := range pods(10, rs, image, announced) {
			o.SetUID(types.UID(fmt.Sprintf("%08d-0000-4000-8000-%012d", i, j)))
			c.list(in(o, i))
		}
	}
	return c
}

// in puts an object into one of two hundred namespaces.
func in[T client.Object](o T, i int) T {
	o.SetNamespace(fmt.Sprintf("team-%03d", i%200))
	return o
}
