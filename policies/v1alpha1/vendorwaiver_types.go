package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// VendorWaiverSpec is a dated, owned exception.
type VendorWaiverSpec struct {
	// vendor is the name of the RestrictedVendor.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Vendor string `json:"vendor"`

	// restrictions are the names of the vendor's restrictions that are waived; empty:
	// all.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	Restrictions []string `json:"restrictions,omitempty"`

	// namespaceSelector selects the namespaces by their labels. It must not be empty:
	// an exception is for somebody.
	//
	// +required
	// +kubebuilder:validation:XValidation:rule="(has(self.matchLabels) && size(self.matchLabels) > 0) || (has(self.matchExpressions) && size(self.matchExpressions) > 0)",reason=FieldValueRequired,message="must select some namespaces, such as matchLabels: {kubernetes.io/metadata.name: mail}"
	NamespaceSelector metav1.LabelSelector `json:"namespaceSelector"`

	// images are the images that are waived, as patterns, with tag or digest where
	// only some versions are meant.
	//
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Images []Pattern `json:"images"`

	// expires is when the waiver ends, as an RFC 3339 instant.
	//
	// +required
	Expires metav1.Time `json:"expires"`

	// reason is why the exception is granted.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1000
	// +kubebuilder:validation:XValidation:rule="self.trim() != ''",reason=FieldValueRequired,message="must say why the exception is granted"
	Reason string `json:"reason"`

	// approvedBy is who approved it, as the writer says; the API server's audit log
	// has who really wrote it.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=200
	// +kubebuilder:validation:XValidation:rule="self.trim() != ''",reason=FieldValueRequired,message="must say who approved the exception"
	ApprovedBy string `json:"approvedBy"`

	// reference is the ticket or the like.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=500
	Reference string `json:"reference,omitempty"`
}

// VendorWaiverStatus is what the controller observed.
type VendorWaiverStatus struct {
	// observedGeneration is the generation that the status is of.
	//
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions are Active and Expired.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// findings counts the findings that the waiver covers; absent until the audit has
	// counted.
	//
	// +optional
	Findings *int32 `json:"findings,omitempty"`
}

// VendorWaiver is a dated, owned exception: findings that it covers are audited and
// neither warned about nor refused.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=vw,categories=embargo
// +kubebuilder:printcolumn:name="Vendor",type=string,JSONPath=`.spec.vendor`
// +kubebuilder:printcolumn:name="Expires",type=string,JSONPath=`.spec.expires`
// +kubebuilder:printcolumn:name="Active",type=string,JSONPath=`.status.conditions[?(@.type=="Active")].status`
// +kubebuilder:printcolumn:name="Findings",type=integer,JSONPath=`.status.findings`
// +kubebuilder:printcolumn:name="Approved-By",type=string,JSONPath=`.spec.approvedBy`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type VendorWaiver struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the object's metadata.
	//
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what people write.
	//
	// +required
	Spec VendorWaiverSpec `json:"spec"`

	// status is what the controller observed.
	//
	// +optional
	Status VendorWaiverStatus `json:"status,omitzero"`
}

// VendorWaiverList is a list of VendorWaivers.
//
// +kubebuilder:object:root=true
type VendorWaiverList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []VendorWaiver `json:"items"`
}
