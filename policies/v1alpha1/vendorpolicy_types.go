package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Mirror says that references under Prefix stand for references under Upstream.
type Mirror struct {
	Prefix   string `json:"prefix"`
	Upstream string `json:"upstream"`
}

// VendorPolicySpec binds the restricted list to namespaces.
type VendorPolicySpec struct {
	VendorSelector    metav1.LabelSelector `json:"vendorSelector,omitzero"`
	NamespaceSelector metav1.LabelSelector `json:"namespaceSelector,omitzero"`
	Audiences         []string             `json:"audiences"`
	Enforcement       Action               `json:"enforcement,omitempty"`
	LeadTimeDays      int32                `json:"leadTimeDays,omitempty"`
	Mirrors           []Mirror             `json:"mirrors,omitempty"`
}

// ActionCounts counts findings by action.
type ActionCounts struct {
	Deny  int32 `json:"deny,omitempty"`
	Warn  int32 `json:"warn,omitempty"`
	Audit int32 `json:"audit,omitempty"`
}

// VendorPolicyStatus is what the controller observed.
type VendorPolicyStatus struct {
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
	Vendors            int32              `json:"vendors,omitempty"`
	Namespaces         int32              `json:"namespaces,omitempty"`
	Findings           ActionCounts       `json:"findings,omitzero"`
	Resources          []string           `json:"resources,omitempty"`
}

// VendorPolicy binds the restricted list to namespaces.
//
// +kubebuilder:object:root=true
type VendorPolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              VendorPolicySpec   `json:"spec"`
	Status            VendorPolicyStatus `json:"status,omitzero"`
}

// VendorPolicyList is a list of VendorPolicies.
//
// +kubebuilder:object:root=true
type VendorPolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []VendorPolicy `json:"items"`
}
