package webhook

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// partialMetadata is as much of an object's metadata as decisions on namespaces and reports
// need. Of the rest, lists of structs such as managedFields take a forger a few bytes an
// element and hundreds in memory.
type partialMetadata struct {
	Name              string            `json:"name"`
	Labels            map[string]string `json:"labels"`
	DeletionTimestamp *metav1.Time      `json:"deletionTimestamp"`
}

// partialNamespace is as much of a namespace.
type partialNamespace struct {
	Metadata partialMetadata `json:"metadata"`
}

// object returns the namespace as selectors need it, nil for none.
func (n *partialNamespace) object() *metav1.PartialObjectMetadata {
	if n == nil {
		return nil
	}
	return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: n.Metadata.Name, Labels: n.Metadata.Labels}}
}

// partialReport is as much of a VendorReport: the API server has checked the rest.
type partialReport struct {
	Metadata     partialMetadata `json:"metadata"`
	Vendor       string          `json:"vendor"`
	NamespaceUID string          `json:"namespaceUID"`
	EvaluatedAt  metav1.Time     `json:"evaluatedAt"`
	Findings     []partialImage  `json:"findings"`
	Resolved     []partialImage  `json:"resolved"`
}

type partialImage struct {
	Since      *metav1.Time `json:"since"`
	ResolvedAt *metav1.Time `json:"resolvedAt"`
}
