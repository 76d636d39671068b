package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Action is what a phase asks for a use.
type Action string

const (
	ActionAllow Action = "Allow"
	ActionAudit Action = "Audit"
	ActionWarn  Action = "Warn"
	ActionDeny  Action = "Deny"
)

// Confidence says how sure a pattern is that an image is the vendor's.
type Confidence string

const (
	ConfidenceConfirmed Confidence = "Confirmed"
	ConfidenceSuspected Confidence = "Suspected"
)

// Verification says whether a phase's date was read in a primary source.
type Verification string

const (
	VerificationVerified   Verification = "Verified"
	VerificationUnverified Verification = "Unverified"
)

// Change says that a phase deliberately asks for less than the one before.
type Change string

// ChangeRelaxes marks a phase that is weaker than the one before.
const ChangeRelaxes Change = "Relaxes"

// Phase is one dated step of a restriction.
type Phase struct {
	Phase        string       `json:"phase"`
	Effective    string       `json:"effective"`
	Summary      string       `json:"summary,omitempty"`
	Introduce    Action       `json:"introduce"`
	Update       Action       `json:"update"`
	Continue     Action       `json:"continue"`
	Change       Change       `json:"change,omitempty"`
	Verification Verification `json:"verification,omitempty"`
}

// Citation names the text of a measure.
type Citation struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

// AppliesTo narrows a restriction to some of the vendor's images.
type AppliesTo struct {
	Patterns []string `json:"patterns,omitempty"`
	Exclude  []string `json:"exclude,omitempty"`
}

// Restriction is one legal measure against a vendor.
type Restriction struct {
	Name      string     `json:"name"`
	Authority string     `json:"authority"`
	Citations []Citation `json:"citations"`
	Audience  string     `json:"audience"`
	Scope     string     `json:"scope,omitempty"`
	AppliesTo AppliesTo  `json:"appliesTo,omitzero"`
	TimeZone  string     `json:"timeZone"`
	Schedule  []Phase    `json:"schedule"`
}

// RepositoryPattern recognises images of the vendor by their reference.
type RepositoryPattern struct {
	Pattern    string     `json:"pattern"`
	Confidence Confidence `json:"confidence,omitempty"`
}

// VendorImages says how the vendor's images are recognised.
type VendorImages struct {
	Repositories []RepositoryPattern `json:"repositories,omitempty"`
	Exclude      []string            `json:"exclude,omitempty"`
	Digests      []string            `json:"digests,omitempty"`
}

// RestrictedVendorSpec says who the vendor is, how its images are recognised
// and which restrictions bind it.
type RestrictedVendorSpec struct {
	DisplayName  string        `json:"displayName"`
	Entities     []string      `json:"entities,omitempty"`
	Images       VendorImages  `json:"images,omitzero"`
	Replacement  string        `json:"replacement,omitempty"`
	Restrictions []Restriction `json:"restrictions"`
}

// RestrictionStatus is where a restriction's schedule stands.
type RestrictionStatus struct {
	Name          string       `json:"name"`
	Phase         string       `json:"phase,omitempty"`
	NextPhase     string       `json:"nextPhase,omitempty"`
	NextEffective *metav1.Time `json:"nextEffective,omitempty"`
}

// RestrictedVendorSummary holds scalars for the columns of kubectl get.
type RestrictedVendorSummary struct {
	Restrictions int32  `json:"restrictions,omitempty"`
	Restriction  string `json:"restriction,omitempty"`
	Phase        string `json:"phase,omitempty"`
	Next         string `json:"next,omitempty"`
	NextOn       string `json:"nextOn,omitempty"`
	Workloads    int32  `json:"workloads,omitempty"`
	Namespaces   int32  `json:"namespaces,omitempty"`
}

// RestrictedVendorStatus is what the controller observed.
type RestrictedVendorStatus struct {
	ObservedGeneration int64                   `json:"observedGeneration,omitempty"`
	Conditions         []metav1.Condition      `json:"conditions,omitempty"`
	Restrictions       []RestrictionStatus     `json:"restrictions,omitempty"`
	Summary            RestrictedVendorSummary `json:"summary,omitzero"`
}

// RestrictedVendor is an entry on the restricted list.
//
// +kubebuilder:object:root=true
type RestrictedVendor struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              RestrictedVendorSpec   `json:"spec"`
	Status            RestrictedVendorStatus `json:"status,omitzero"`
}

// RestrictedVendorList is a list of RestrictedVendors.
//
// +kubebuilder:object:root=true
type RestrictedVendorList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []RestrictedVendor `json:"items"`
}
