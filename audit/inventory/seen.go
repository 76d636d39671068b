package inventory

import (
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"embargo.dev/policies/workload"
)

// Kind is a kind of object that is watched. There is one of each, which all objects of
// the kind point to.
type Kind struct {
	schema.GroupVersionKind

	Resource string // plural
}

// String names the kind's resource as RESOURCE.GROUP.
func (k *Kind) String() string {
	return schema.GroupResource{Group: k.Group, Resource: k.Resource}.String()
}

// Seen is what is read of an object as it passes by.
type Seen struct {
	Namespace, Name string
	UID             types.UID
	Owner           Owner // its controller; zero: none
	Created         time.Time
	Deleting        bool
	Images          []workload.Image
	Pod             *SeenPod // of a Pod
	Dormant         bool     // a ReplicaSet that neither wants nor has Pods
}

// SeenPod is what is read of a Pod beyond that.
type SeenPod struct {
	Node    string // that a mirror Pod's file is on; "" for other Pods
	Ended   bool   // it has succeeded or failed
	Running []Running
}

// Running is what a container runs, by the Pod's status.
type Running struct {
	Container string
	Digest    string   // of a manifest or an index; "" where the status has none
	Config    string   // digest of the image's configuration; "" where the status has none
	Names     []string // what else the runtime calls the image
}

// Owner is a controller owner.
type Owner struct {
	APIVersion, Kind, Name string
	UID                    types.UID
}

// GroupKind returns the owner's group and kind.
func (o Owner) GroupKind() schema.GroupKind {
	version, _ := schema.ParseGroupVersion(o.APIVersion)
	return schema.GroupKind{Group: version.Group, Kind: o.Kind}
}
