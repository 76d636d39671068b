// Package workload finds every image of an object: in which field, of which
// container, as written.
//
// For Kubernetes' own kinds the places are known. For all others they are found
// by structure, since any custom resource may embed a pod template: a map with a
// list of containers (or Tekton's steps and sidecars) whose items carry an image,
// and the image volumes beside it. What is there but can't be read is reported as
// such and never passed over.
package workload
