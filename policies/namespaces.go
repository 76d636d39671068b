package policies

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// namespaceSelector selects namespaces, also ones of which only the name is
// known. The API server keeps the label kubernetes.io/metadata.name equal to the
// name, so what is asked of that label can always be told.
type namespaceSelector struct {
	whole  labels.Selector
	named  labels.Selector // what is asked of the name alone
	others bool            // something else is asked too
}

func compileNamespaceSelector(selector *metav1.LabelSelector) (namespaceSelector, error) {
	whole, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return namespaceSelector{}, err
	}
	s := namespaceSelector{whole: whole, named: labels.NewSelector()}
	requirements, _ := whole.Requirements()
	for _, r := range requirements {
		if r.Key() == corev1.LabelMetadataName {
			s.named = s.named.Add(r)
		} else {
			s.others = true
		}
	}
	return s, nil
}

// mayCover reports whether a policy with the selector is to be applied: yes
// where the namespace is selected, and where that can't be ruled out.
func (s namespaceSelector) mayCover(ns Namespace) bool {
	switch {
	case ns.Name == "":
		return true // cluster-scoped: no namespace to rule it out by
	case ns.Known:
		return s.whole.Matches(ns.labels())
	default:
		return s.named.Matches(ns.labels())
	}
}

// surelyCovers reports whether a waiver with the selector is to be granted: only
// where the namespace is known to be selected.
func (s namespaceSelector) surelyCovers(ns Namespace) bool {
	switch {
	case ns.Name == "":
		return false
	case ns.Known:
		return s.whole.Matches(ns.labels())
	default:
		return !s.others && s.named.Matches(ns.labels())
	}
}

// labels returns what is known of the namespace's labels, its name among them.
func (n Namespace) labels() labels.Set {
	if !n.Known {
		return labels.Set{corev1.LabelMetadataName: n.Name}
	}
	return labels.Merge(n.Labels, labels.Set{corev1.LabelMetadataName: n.Name})
}
