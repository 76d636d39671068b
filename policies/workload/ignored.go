package workload

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// ignoredGroups are API groups without a kind that carries images: events; schemas, which describe
// containers without having any; Embargo's own kinds; and reports, which repeat what others
// carry. Gatekeeper makes a kind of constraint for each of its templates.
var ignoredGroups = []string{
	"events.k8s.io", "apiextensions.k8s.io", "embargo.dev", "openreports.io", "wgpolicyk8s.io", "reports.kyverno.io", "constraints.gatekeeper.sh",
}

// ignoredKinds are single kinds without images: free text and secrets; and the objects of
// policy engines, which describe images and start none. Kinds of the same groups that
// start Pods, such as Kubewarden's PolicyServer, are not among them.
var ignoredKinds = map[string][]string{
	"":                             {"ConfigMap", "Secret", "Event"},
	"admissionregistration.k8s.io": {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"},
	"policies.kubewarden.io":       {"ClusterAdmissionPolicy", "AdmissionPolicy", "ClusterAdmissionPolicyGroup", "AdmissionPolicyGroup"},
	"kyverno.io":                   {"ClusterPolicy", "Policy", "CleanupPolicy", "ClusterCleanupPolicy", "PolicyException", "GlobalContextEntry", "UpdateRequest", "AdmissionReport", "ClusterAdmissionReport", "BackgroundScanReport", "ClusterBackgroundScanReport"},
	"policies.kyverno.io": {
		"ValidatingPolicy", "NamespacedValidatingPolicy", "MutatingPolicy", "NamespacedMutatingPolicy", "GeneratingPolicy", "NamespacedGeneratingPolicy",
		"DeletingPolicy", "NamespacedDeletingPolicy", "ImageValidatingPolicy", "NamespacedImageValidatingPolicy", "PolicyException",
	},
	"templates.gatekeeper.sh":    {"ConstraintTemplate"},
	"mutations.gatekeeper.sh":    {"Assign", "AssignMetadata", "AssignImage", "ModifySet"},
	"expansion.gatekeeper.sh":    {"ExpansionTemplate"},
	"config.gatekeeper.sh":       {"Config"},
	"externaldata.gatekeeper.sh": {"Provider"},
	"syncset.gatekeeper.sh":      {"SyncSet"},
	"status.gatekeeper.sh":       {"ConstraintPodStatus", "ConstraintTemplatePodStatus", "MutatorPodStatus", "ExpansionTemplatePodStatus", "ConfigPodStatus", "ProviderPodStatus", "ConnectionPodStatus"},
	"connection.gatekeeper.sh":   {"Connection"},
}

// ignored reports whether the kind never counts as a carrier of images.
func ignored(kind schema.GroupKind) bool {
	return slices.Contains(ignoredGroups, kind.Group) || slices.Contains(ignoredKinds[kind.Group], kind.Kind)
}

// Searched reports whether objects of the kind are searched for images at all.
func Searched(kind schema.GroupKind) bool { return !ignored(kind) }

// templateKind is OpenShift's kind of an object whose objects are created from it.
const templateKind = "Template"

// withoutIgnored returns a Template without its objects that are of ignored kinds.
func withoutIgnored(template map[string]any) map[string]any {
	objects, ok := template["objects"].([]any)
	if !ok {
		return template
	}
	objects = slices.Clone(objects)
	for i, object := range objects {
		fields, _ := object.(map[string]any)
		kind, _ := fields["kind"].(string)
		apiVersion, _ := fields["apiVersion"].(string)
		if ignored(schema.FromAPIVersionAndKind(apiVersion, kind).GroupKind()) {
			objects[i] = nil
		}
	}
	template = maps.Clone(template)
	template["objects"] = objects
	return template
}
