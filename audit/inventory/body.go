package inventory

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"embargo.dev/policies/workload"
)

// Body is what an object carries. Objects that carry the same share it.
type Body struct {
	// Kind is the kind of the first object that had it: whether it is a custom one
	// bears on how images are read.
	Kind   schema.GroupKind
	Places []Place

	key     string
	refs    int
	suspect bool
}

// Place is an image field, and what runs of it.
type Place struct {
	workload.Image

	Digest string   // of the manifest or index that runs; "" where nobody knows
	Config string   // digest of the configuration that runs; "" where nobody knows
	Names  []string // what else the runtime calls what runs
}

// newBody puts images and what runs of them together.
func newBody(kind schema.GroupKind, images []workload.Image, pod *SeenPod) *Body {
	b := &Body{Kind: kind, Places: make([]Place, len(images))}
	for i, img := range images {
		b.Places[i].Image = img
		if pod == nil {
			continue
		}
		for _, r := range pod.Running {
			if r.Container == img.Name && img.List != volumes {
				b.Places[i].Digest, b.Places[i].Config, b.Places[i].Names = r.Digest, r.Config, r.Names
			}
		}
	}
	b.key = b.makeKey()
	return b
}

// volumes is the list of which the items have no status: the runtime tells no digests
// of image volumes.
const volumes = "volumes"

// makeKey writes all that the body holds. No field of it can hold the separators:
// none is printable.
func (b *Body) makeKey() string {
	var key strings.Builder
	if !workload.Builtin(b.Kind) {
		key.WriteString("custom")
	}
	for i := range b.Places {
		p := &b.Places[i]
		for _, text := range []string{p.Field, p.Template, p.List, p.Name, p.Value, p.Unreadable, p.Digest, p.Config} {
			key.WriteString(text)
			key.WriteByte(0)
		}
		for _, name := range p.Names {
			key.WriteString(name)
			key.WriteByte(1)
		}
		key.WriteByte(2)
	}
	return key.String()
}

// bodies are all that are in use, by key.
type bodies map[string]*Body

// take returns the body that is shared, and counts one more user of it.
func (all bodies) take(b *Body) (shared *Body, isNew bool) {
	if there, ok := all[b.key]; ok {
		there.refs++
		return there, false
	}
	b.refs = 1
	all[b.key] = b
	return b, true
}

func (all bodies) release(b *Body) {
	if b.refs--; b.refs == 0 {
		delete(all, b.key)
	}
}

// runsAny reports whether one of the digests runs.
func (b *Body) runsAny(digests map[string]bool) bool {
	return slices.ContainsFunc(b.Places, func(p Place) bool { return p.Digest != "" && digests[p.Digest] })
}
