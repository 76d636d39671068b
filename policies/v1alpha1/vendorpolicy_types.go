package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Mirror says that references below a prefix stand for references below an
// upstream.
//
// +kubebuilder:validation:XValidation:rule="self.prefix != self.upstream",reason=FieldValueInvalid,fieldPath=".upstream",message="must be another place than the prefix"
type Mirror struct {
	// prefix is the host, and the first segments of the path, of the mirror, such as
	// harbor.example.com/dockerhub.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	Prefix string `json:"prefix"`

	// upstream is what it mirrors, such as docker.io.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	Upstream string `json:"upstream"`
}

// VendorPolicySpec binds the restricted list to namespaces.
type VendorPolicySpec struct {
	// vendorSelector selects RestrictedVendors by their labels; {} is all.
	//
	// +optional
	VendorSelector metav1.LabelSelector `json:"vendorSelector,omitzero"`

	// namespaceSelector selects namespaces by their labels; {} is all, system
	// namespaces too.
	//
	// +optional
	NamespaceSelector metav1.LabelSelector `json:"namespaceSelector,omitzero"`

	// audiences are those whose restrictions apply here.
	//
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:items:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Audiences []string `json:"audiences"`

	// enforcement is how far the policy may go: Deny refuses, Warn admits with a warning,
	// Audit only reports. Exactly these three words are accepted, with their capital
	// letters; there is no Allow.
	//
	// +optional
	// +default="Deny"
	// +kubebuilder:validation:Enum=Audit;Warn;Deny
	Enforcement Action `json:"enforcement,omitempty"`

	// leadTimeDays makes the policy act as if it were that many calendar days later.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=3650
	LeadTimeDays int32 `json:"leadTimeDays,omitempty"`

	// mirrors are facts about the cluster: which registries hold copies of which.
	// Those of all policies form one set.
	//
	// +optional
	// +listType=map
	// +listMapKey=prefix
	// +listMapKey=upstream
	// +kubebuilder:validation:MaxItems=64
	Mirrors []Mirror `json:"mirrors,omitempty"`
}

// ActionCounts counts findings by action.
type ActionCounts struct {
	// deny counts findings that would be refused.
	//
	// +required
	Deny int32 `json:"deny"`

	// warn counts findings that are warned about.
	//
	// +required
	Warn int32 `json:"warn"`

	// audit counts findings that are reported only.
	//
	// +required
	Audit int32 `json:"audit"`
}

// VendorPolicyStatus is what the controller observed.
type VendorPolicyStatus struct {
	// observedGeneration is the generation that the status is of.
	//
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions are Ready (all of the policy is in force) and Enforced (admission
	// follows it).
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// vendors counts the vendors of which a restriction applies.
	//
	// +optional
	Vendors int32 `json:"vendors,omitempty"`

	// namespaces counts the namespaces selected.
	//
	// +optional
	Namespaces int32 `json:"namespaces,omitempty"`

	// findings counts the findings that the policy binds, by action; absent until the
	// audit has counted.
	//
	// +optional
	Findings *ActionCounts `json:"findings,omitempty"`

	// resources are the resources that admission covers, as RESOURCE.GROUP.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=512
	// +kubebuilder:validation:items:MaxLength=317
	Resources []string `json:"resources,omitempty"`
}

// VendorPolicy binds the restricted list to namespaces: which audiences apply, how
// far enforcement may go, and how early. Every policy that selects a namespace
// applies there.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=vp,categories=embargo
// +kubebuilder:printcolumn:name="Enforcement",type=string,JSONPath=`.spec.enforcement`
// +kubebuilder:printcolumn:name="Audiences",type=string,JSONPath=`.spec.audiences`
// +kubebuilder:printcolumn:name="Vendors",type=integer,JSONPath=`.status.vendors`
// +kubebuilder:printcolumn:name="Namespaces",type=integer,JSONPath=`.status.namespaces`
// +kubebuilder:printcolumn:name="Deny",type=integer,JSONPath=`.status.findings.deny`
// +kubebuilder:printcolumn:name="Warn",type=integer,JSONPath=`.status.findings.warn`
// +kubebuilder:printcolumn:name="Audit",type=integer,JSONPath=`.status.findings.audit`
// +kubebuilder:printcolumn:name="Enforced",type=string,JSONPath=`.status.conditions[?(@.type=="Enforced")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type VendorPolicy struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the object's metadata.
	//
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what people write.
	//
	// +required
	Spec VendorPolicySpec `json:"spec"`

	// status is what the controller observed.
	//
	// +optional
	Status VendorPolicyStatus `json:"status,omitzero"`
}

// VendorPolicyList is a list of VendorPolicies.
//
// +kubebuilder:object:root=true
type VendorPolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []VendorPolicy `json:"items"`
}
