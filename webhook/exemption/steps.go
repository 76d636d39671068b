package exemption

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// Step is a policy that a namespace leaves, or a waiver that it enters.
type Step struct {
	Resource string // Policies or Waivers
	Name     string
}

// Steps returns what a namespace leaves and enters by a change. One that is created, and
// so was nothing before, leaves nothing.
func (r *Rules) Steps(now, before *metav1.PartialObjectMetadata) []Step {
	var steps []Step
	for _, rule := range r.rules {
		selected := before != nil && selects(rule.selector, before)
		selectedNow := selects(rule.selector, now)
		switch {
		case rule.kind == policy && selected && !selectedNow:
			steps = append(steps, Step{Policies, rule.name})
		case rule.kind != policy && !selected && selectedNow:
			steps = append(steps, Step{Waivers, rule.name})
		}
	}
	return steps
}

// selects reports whether a selector covers a namespace. The label with its name is
// there in every namespace.
func selects(s labels.Selector, ns *metav1.PartialObjectMetadata) bool {
	return s.Matches(labels.Merge(ns.Labels, labels.Set{corev1.LabelMetadataName: ns.Name}))
}
