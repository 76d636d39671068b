package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// VendorWaiverSpec is a dated, owned exception.
type VendorWaiverSpec struct {
	Vendor            string               `json:"vendor"`
	Restrictions      []string             `json:"restrictions,omitempty"`
	NamespaceSelector metav1.LabelSelector `json:"namespaceSelector"`
	Images            []string             `json:"images"`
	Expires           metav1.Time          `json:"expires"`
	Reason            string               `json:"reason"`
	ApprovedBy        string               `json:"approvedBy"`
	Reference         string               `json:"reference,omitempty"`
}

// VendorWaiverStatus is what the controller observed.
type VendorWaiverStatus struct {
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
	Findings           int32              `json:"findings,omitempty"`
}

// VendorWaiver is a dated, owned exception.
//
// +kubebuilder:object:root=true
type VendorWaiver struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              VendorWaiverSpec   `json:"spec"`
	Status            VendorWaiverStatus `json:"status,omitzero"`
}

// VendorWaiverList is a list of VendorWaivers.
//
// +kubebuilder:object:root=true
type VendorWaiverList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []VendorWaiver `json:"items"`
}
