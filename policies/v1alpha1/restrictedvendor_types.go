package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Action is what a phase asks for a use: Allow, Audit, Warn or Deny. Each field says which
// of them it takes: of an enumeration on the type and one on a field the first would win.
type Action string

// The actions, from the weakest to the strongest.
const (
	ActionAllow Action = "Allow" // no finding
	ActionAudit Action = "Audit" // reported
	ActionWarn  Action = "Warn"  // admitted with a warning
	ActionDeny  Action = "Deny"  // refused
)

// Confidence says how sure a pattern is that an image is the vendor's. A suspicion
// never denies.
//
// +kubebuilder:validation:Enum=Confirmed;Suspected
type Confidence string

// The confidences.
const (
	ConfidenceConfirmed Confidence = "Confirmed"
	ConfidenceSuspected Confidence = "Suspected"
)

// Verification says where a phase's date was read.
//
// +kubebuilder:validation:Enum=Verified;Reported;Unverified;""
type Verification string

// The verifications; the two last are remarked on.
const (
	// VerificationVerified is for a date read in the primary text or a verbatim copy of it.
	VerificationVerified Verification = "Verified"
	// VerificationReported is for a date read in reports of the text only.
	VerificationReported Verification = "Reported"
	// VerificationUnverified is for a date read in neither.
	VerificationUnverified Verification = "Unverified"
)

// Change says that a phase deliberately asks for less than the one before.
//
// +kubebuilder:validation:Enum=Relaxes;""
type Change string

// ChangeRelaxes marks a phase that is weaker than the one before.
const ChangeRelaxes Change = "Relaxes"

// Pattern recognises image references. It is read as an image is (nginx is
// docker.io/library/nginx, acme/** is docker.io/acme/**) and matches whole
// segments: * inside one segment or host label, *. at the start one or more labels,
// ** any number of segments, **/ at the start any host. It may end in :TAG or
// @DIGEST, and needs some literal text.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=512
// +kubebuilder:validation:XValidation:rule="self.matches('[A-Za-z0-9]')",reason=FieldValueInvalid,message="must have some literal text: name a host, a repository or a part of one, such as docker.io/acme/**"
// +kubebuilder:validation:XValidation:rule="!self.contains('://')",reason=FieldValueInvalid,message="must be written without a scheme, such as registry.example.com/acme/**"
type Pattern = string

// Phase is one dated step of a restriction. It holds from its effective instant
// until the next phase's.
type Phase struct {
	// phase is the name of the phase, such as sales-prohibited.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Phase string `json:"phase"`

	// effective is when the phase begins: a date, which means the first instant of
	// that day in the restriction's time zone, or an RFC 3339 instant.
	//
	// +required
	// +kubebuilder:validation:MinLength=10
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2}))?$')",reason=FieldValueInvalid,message="must be a date such as 2024-09-29 or an RFC 3339 instant such as 2024-09-29T04:00:00Z"
	Effective string `json:"effective"`

	// summary says in a few words what is prohibited; warnings and denials show it.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=200
	Summary string `json:"summary,omitempty"`

	// introduce is the action for an image that is newly brought in: Allow, Audit, Warn or
	// Deny.
	//
	// +required
	// +kubebuilder:validation:Enum=Allow;Audit;Warn;Deny
	Introduce Action `json:"introduce"`

	// update is the action for another tag or digest of an image that runs already: Allow,
	// Audit, Warn or Deny.
	//
	// +required
	// +kubebuilder:validation:Enum=Allow;Audit;Warn;Deny
	Update Action `json:"update"`

	// continue is the action for an image that goes on as it is: Allow, Audit, Warn or
	// Deny. Deny refuses only the creation of children, such as the Pods of a ReplicaSet.
	//
	// +required
	// +kubebuilder:validation:Enum=Allow;Audit;Warn;Deny
	Continue Action `json:"continue"`

	// change is Relaxes where the phase is weaker than the one before.
	//
	// +optional
	Change Change `json:"change,omitempty"`

	// verification says where the date was read: Verified is in the primary text or a
	// verbatim copy of it, Reported in reports of it only, Unverified in neither. The
	// last two are remarked on.
	//
	// +optional
	Verification Verification `json:"verification,omitempty"`
}

// Citation names the text of a measure.
type Citation struct {
	// title is how the text is cited, such as 89 FR 52434.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=200
	Title string `json:"title"`

	// url is where the text can be read.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://[0-9A-Za-z%:/?#@!$&()*+,;=._~-]+$')",reason=FieldValueInvalid,message="must be a URL that begins with https:// or http://, without blanks and with other characters escaped (%20)"
	URL string `json:"url"`
}

// AppliesTo narrows a restriction to some of the vendor's images.
type AppliesTo struct {
	// patterns are the images that the restriction applies to; empty: all of the
	// vendor's. An image found by its digest always stays in.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Patterns []Pattern `json:"patterns,omitempty"`

	// exclude are images that the restriction leaves out.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Exclude []Pattern `json:"exclude,omitempty"`
}

// Restriction is one legal measure against a vendor.
type Restriction struct {
	// name is the name of the restriction among the vendor's, such as us-icts.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`

	// authority is who ordered the measure.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=200
	Authority string `json:"authority"`

	// citations are the texts of the measure, the one that messages cite first.
	//
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Citations []Citation `json:"citations"`

	// audience is who the measure binds, such as us-persons. Policies name the
	// audiences that they apply.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Audience string `json:"audience"`

	// scope says what the measure covers and what it leaves out.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=2000
	Scope string `json:"scope,omitempty"`

	// appliesTo narrows the restriction to some of the vendor's images.
	//
	// +optional
	AppliesTo AppliesTo `json:"appliesTo,omitzero"`

	// timeZone is the IANA name of the zone in which the schedule's dates are
	// counted, such as America/New_York.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	TimeZone string `json:"timeZone"`

	// schedule is the phases in order of time.
	//
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:XValidation:rule="self.all(p, self.exists_one(q, q.phase == p.phase))",reason=FieldValueInvalid,message="each phase must have a name of its own"
	Schedule []Phase `json:"schedule"`
}

// RepositoryPattern recognises images of the vendor by their reference.
type RepositoryPattern struct {
	// pattern matches references of the vendor's images.
	//
	// +required
	Pattern Pattern `json:"pattern"`

	// confidence is Suspected where an image that matches need not be the vendor's.
	//
	// +optional
	// +default="Confirmed"
	Confidence Confidence `json:"confidence,omitempty"`
}

// VendorImages says how the vendor's images are recognised.
type VendorImages struct {
	// repositories are patterns of the vendor's image references.
	//
	// +optional
	// +listType=map
	// +listMapKey=pattern
	// +kubebuilder:validation:MaxItems=256
	Repositories []RepositoryPattern `json:"repositories,omitempty"`

	// exclude are patterns of references that are not the vendor's though a pattern
	// matches them. They never cancel a listed digest.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=256
	Exclude []Pattern `json:"exclude,omitempty"`

	// digests are digests of the vendor's images, under whatever name: of manifests, of
	// indexes, and of configurations (image IDs). Admission compares the digest in a
	// reference, which is of a manifest or an index. The audit also compares what runs, and
	// there a configuration's digest counts where the runtime tells it, as CRI-O does.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1024
	// +kubebuilder:validation:items:MaxLength=136
	// +kubebuilder:validation:items:Pattern=`^(sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})$`
	Digests []string `json:"digests,omitempty"`
}

// RestrictedVendorSpec says who the vendor is, how its images are recognised and
// which restrictions bind it.
type RestrictedVendorSpec struct {
	// displayName is the vendor's name in messages.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=100
	DisplayName string `json:"displayName"`

	// entities are the companies meant; never persons.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MaxLength=256
	Entities []string `json:"entities,omitempty"`

	// images says how the vendor's images are recognised. Without any, no image is
	// found to be the vendor's, and the condition Recognisable says so.
	//
	// +optional
	Images VendorImages `json:"images,omitzero"`

	// replacement tells users what to move to.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=500
	Replacement string `json:"replacement,omitempty"`

	// restrictions are the legal measures against the vendor.
	//
	// +required
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Restrictions []Restriction `json:"restrictions"`
}

// RestrictionStatus is where a restriction's schedule stands.
type RestrictionStatus struct {
	// name is the name of the restriction.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`

	// phase is the phase in force, empty before the first.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Phase string `json:"phase,omitempty"`

	// nextPhase is the phase to come, empty after the last.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=63
	NextPhase string `json:"nextPhase,omitempty"`

	// nextEffective is when the next phase begins.
	//
	// +optional
	NextEffective *metav1.Time `json:"nextEffective,omitempty"`
}

// RestrictedVendorSummary holds scalars for the columns of kubectl get: those of the
// restriction that matters most.
type RestrictedVendorSummary struct {
	// restrictions counts the restrictions in force.
	//
	// +optional
	Restrictions int32 `json:"restrictions,omitempty"`

	// restriction is the one that matters most.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Restriction string `json:"restriction,omitempty"`

	// phase is that restriction's phase in force.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Phase string `json:"phase,omitempty"`

	// next is that restriction's next phase.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Next string `json:"next,omitempty"`

	// nextOn is the date of the next phase in the restriction's time zone.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=10
	NextOn string `json:"nextOn,omitempty"`

	// workloads counts the workloads with findings; absent until the audit has counted, and
	// where it can find none: found says why.
	//
	// +optional
	Workloads *int32 `json:"workloads,omitempty"`

	// namespaces counts the namespaces with findings; absent as workloads is.
	//
	// +optional
	Namespaces *int32 `json:"namespaces,omitempty"`

	// found is the number of workloads with findings or, where the audit can find none, why:
	// NoImages (nothing recognises the vendor's images), NoPolicy or NotApplied (no policy
	// applies a restriction of the vendor), NoRestrictions (none compiles).
	//
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Found string `json:"found,omitempty"`

	// enforced is True where admission follows the vendor's restrictions, Partly where some of
	// the object doesn't compile, and Unknown while nobody has looked. Otherwise it says why
	// not: as found does, or NotRegistered where the API server doesn't ask Embargo.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Enforced string `json:"enforced,omitempty"`
}

// RestrictedVendorStatus is what the controller observed.
type RestrictedVendorStatus struct {
	// observedGeneration is the generation that the status is of.
	//
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions are Compiled (all of the object is in force), Recognisable (images
	// of the vendor can be found), Applied (some policy applies a restriction of it) and
	// Enforced (admission follows it).
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// restrictions is where each restriction's schedule stands.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	Restrictions []RestrictionStatus `json:"restrictions,omitempty"`

	// summary holds what kubectl get shows.
	//
	// +optional
	Summary RestrictedVendorSummary `json:"summary,omitzero"`
}

// RestrictedVendor is an entry on the restricted list: who the vendor is, how its
// images are recognised, and which restrictions bind it.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=rv,categories=embargo
// +kubebuilder:printcolumn:name="Restrictions",type=integer,JSONPath=`.status.summary.restrictions`
// +kubebuilder:printcolumn:name="Restriction",type=string,JSONPath=`.status.summary.restriction`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.summary.phase`
// +kubebuilder:printcolumn:name="Next",type=string,JSONPath=`.status.summary.next`
// +kubebuilder:printcolumn:name="Next-On",type=string,JSONPath=`.status.summary.nextOn`
// +kubebuilder:printcolumn:name="Workloads",type=string,JSONPath=`.status.summary.found`
// +kubebuilder:printcolumn:name="Namespaces",type=integer,JSONPath=`.status.summary.namespaces`
// +kubebuilder:printcolumn:name="Enforced",type=string,priority=1,JSONPath=`.status.summary.enforced`
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 63 && self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",reason=FieldValueInvalid,message="metadata.name must be a DNS label of at most 63 characters: it names reports and metrics"
type RestrictedVendor struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the object's metadata.
	//
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what people write.
	//
	// +required
	Spec RestrictedVendorSpec `json:"spec"`

	// status is what the controller observed.
	//
	// +optional
	Status RestrictedVendorStatus `json:"status,omitzero"`
}

// RestrictedVendorList is a list of RestrictedVendors.
//
// +kubebuilder:object:root=true
type RestrictedVendorList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []RestrictedVendor `json:"items"`
}
