package policies

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// OnlyExcludes reports whether a selector only says what it doesn't select, by NotIn and
// DoesNotExist. It then selects a namespace without any label, and nearly every new one.
func OnlyExcludes(s *metav1.LabelSelector) bool {
	includes := func(e metav1.LabelSelectorRequirement) bool {
		return e.Operator != metav1.LabelSelectorOpNotIn && e.Operator != metav1.LabelSelectorOpDoesNotExist
	}
	return len(s.MatchLabels) == 0 && len(s.MatchExpressions) > 0 && !slices.ContainsFunc(s.MatchExpressions, includes)
}
