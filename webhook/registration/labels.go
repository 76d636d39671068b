package registration

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"embargo.dev/policies/v1alpha1"
)

// NamespaceLabels are the labels of namespaces that policies and waivers select by.
type NamespaceLabels struct {
	Keys       []string // by either; without kubernetes.io/metadata.name, which nobody can change
	WaiverKeys []string // by waivers
	Names      []string // namespaces that waivers name
}

// LabelsInUse returns the labels by which the policies and waivers select.
func LabelsInUse(vendorPolicies []v1alpha1.VendorPolicy, waivers []v1alpha1.VendorWaiver) NamespaceLabels {
	keys, waiverKeys, names := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i := range vendorPolicies {
		for key := range requirements(&vendorPolicies[i].Spec.NamespaceSelector) {
			keys[key] = true
		}
	}
	for i := range waivers {
		for key, values := range requirements(&waivers[i].Spec.NamespaceSelector) {
			if key == corev1.LabelMetadataName {
				for _, name := range values {
					names[name] = true
				}
				continue
			}
			keys[key], waiverKeys[key] = true, true
		}
	}
	delete(keys, corev1.LabelMetadataName)
	return NamespaceLabels{
		Keys: slices.Sorted(maps.Keys(keys)), WaiverKeys: slices.Sorted(maps.Keys(waiverKeys)), Names: slices.Sorted(maps.Keys(names)),
	}
}

// requirements returns the keys that a selector asks about, with the values.
func requirements(s *metav1.LabelSelector) map[string][]string {
	asked := map[string][]string{}
	for key, value := range s.MatchLabels {
		asked[key] = append(asked[key], value)
	}
	for _, e := range s.MatchExpressions {
		asked[e.Key] = append(asked[e.Key], e.Values...)
	}
	return asked
}

// conditions let only those requests through that change, or bring, one of the
// labels; nil where none is in use.
func (l NamespaceLabels) conditions() []condition {
	if len(l.Keys)+len(l.Names) == 0 {
		return nil
	}
	changed := "request.operation == 'UPDATE' && " + celList(l.Keys) + ".exists(k, " +
		"object.metadata.?labels[?k] != oldObject.metadata.?labels[?k])"
	brought := "request.operation == 'CREATE' && (" + celList(l.WaiverKeys) + ".exists(k, object.metadata.?labels[?k].hasValue()) || " +
		"object.metadata.name in " + celList(l.Names) + ")"
	return []condition{{"labels-in-use", "(" + changed + ") || (" + brought + ")"}}
}

// celList writes words that are label keys or names of namespaces, which need no
// escaping.
func celList(words []string) string {
	quoted := make([]string, 0, len(words))
	for _, w := range words {
		quoted = append(quoted, "'"+w+"'")
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
