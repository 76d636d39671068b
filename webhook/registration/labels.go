package registration

import (
	"maps"
	"slices"
	"strconv"
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
	// Others says that some waiver selects namespaces by what they are not, so that any
	// new one may enter it.
	Others bool
}

// LabelsInUse returns the labels by which the policies and waivers select.
func LabelsInUse(vendorPolicies []v1alpha1.VendorPolicy, waivers []v1alpha1.VendorWaiver) NamespaceLabels {
	keys, waiverKeys, names, others := map[string]bool{}, map[string]bool{}, map[string]bool{}, false
	for i := range vendorPolicies {
		for key := range requirements(&vendorPolicies[i].Spec.NamespaceSelector) {
			keys[key] = true
		}
	}
	for i := range waivers {
		others = others || excludes(&waivers[i].Spec.NamespaceSelector)
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
		Others: others,
	}
}

// excludes reports whether a selector asks only for what a namespace must not have:
// then one without any label is selected.
func excludes(s *metav1.LabelSelector) bool {
	negative := func(e metav1.LabelSelectorRequirement) bool {
		return e.Operator == metav1.LabelSelectorOpNotIn || e.Operator == metav1.LabelSelectorOpDoesNotExist
	}
	return len(s.MatchLabels) == 0 && len(s.MatchExpressions) > 0 && !slices.ContainsFunc(s.MatchExpressions, func(e metav1.LabelSelectorRequirement) bool { return !negative(e) })
}

// requirements returns the keys that a selector asks about, with the values; none of one
// that can't be read, which is not in force. So all of them are words that need no
// escaping, whatever is stored.
func requirements(s *metav1.LabelSelector) map[string][]string {
	asked := map[string][]string{}
	if _, err := metav1.LabelSelectorAsSelector(s); err != nil {
		return asked
	}
	for key, value := range s.MatchLabels {
		asked[key] = append(asked[key], value)
	}
	for _, e := range s.MatchExpressions {
		asked[e.Key] = append(asked[e.Key], e.Values...)
	}
	return asked
}

// maxWords is how many characters of keys and names a condition lists, well within the
// 100,000 that the API server takes. With more, every new namespace and every change of a
// label is looked at.
const maxWords = 60_000

// conditions let only those requests through that change, or bring, one of the
// labels; nil where none is in use.
func (l NamespaceLabels) conditions() []condition {
	if len(l.Keys)+len(l.Names) == 0 && !l.Others {
		return nil
	}
	if len(celList(l.Keys))+len(celList(l.WaiverKeys))+len(celList(l.Names)) > maxWords {
		return []condition{{"labels-in-use", "request.operation == 'CREATE' || object.metadata.?labels != oldObject.metadata.?labels"}}
	}
	changed := "request.operation == 'UPDATE' && " + celList(l.Keys) + ".exists(k, " +
		"object.metadata.?labels[?k] != oldObject.metadata.?labels[?k])"
	brought := "request.operation == 'CREATE' && (" + strconv.FormatBool(l.Others) + " || " + celList(l.WaiverKeys) + ".exists(k, object.metadata.?labels[?k].hasValue()) || " +
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
