package policies

import (
	"slices"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"embargo.dev/policies/workload"
)

// Operation is what a request does to an object, in the words of an
// AdmissionReview.
type Operation string

// The operations that can carry images.
const (
	Create Operation = "CREATE"
	Update Operation = "UPDATE"
	Delete Operation = "DELETE"
)

// Request is an admission request, or what an audit or a command line takes for
// one. Everything that bears on a decision is in it.
type Request struct {
	Operation   Operation
	Subresource string           // "" for the object itself
	Kind        schema.GroupKind // of Object and Old
	Namespace   Namespace
	User        User
	Object      workload.Object  // as it will be
	Old         *workload.Object // as it is; nil on Create
	Carried     []workload.Image // what the object's controller owner and that owner's ControllerRevisions carry
	// Trusted says that one of the configured trusted controllers creates the
	// object for a controller owner.
	Trusted bool
	// AssumeUse stands in for Old and Carried where neither is known, as on the
	// command line. It is empty elsewhere.
	AssumeUse Use
}

// Namespace is the namespace of a request's object.
type Namespace struct {
	Name   string     // "" for a cluster-scoped object
	Labels labels.Set // read only where Known
	Known  bool
}

// User is who makes a request, as the API server authenticated it.
type User struct {
	Name   string
	Groups []string
}

// inGroup reports whether the user is a member of the group.
func (u User) inGroup(group string) bool { return slices.Contains(u.Groups, group) }

// nodeGroup is the group of every kubelet (Kubernetes' Node authorizer).
const nodeGroup = "system:nodes"

// mirrorsStaticPod reports whether the request is a kubelet's own copy of a
// static pod. Such a pod runs whatever the API server answers: refusing the
// copy would only hide it. Anything less than the pod's own node counts as a
// forgery.
func (r Request) mirrorsStaticPod() bool {
	return r.Kind == schema.GroupKind{Kind: "Pod"} &&
		r.Object.MirrorPod && r.Object.NodeName != "" &&
		r.User.Name == "system:node:"+r.Object.NodeName && r.User.inGroup(nodeGroup)
}

// ephemeralContainers is the one subresource that brings images of its own.
const ephemeralContainers = "ephemeralcontainers"

// neverDenied reports whether the request is of a sort that no schedule may
// refuse.
func (r Request) neverDenied() bool {
	return r.Operation == Delete ||
		(r.Subresource != "" && r.Subresource != ephemeralContainers) ||
		r.mirrorsStaticPod()
}
