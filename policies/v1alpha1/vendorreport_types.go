package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// UnreadableImages is the name of a namespace's report on images of which nobody can
// tell whose they are. It has a dot, which no vendor's name has.
const UnreadableImages = "unreadable.images"

// How many entries a report holds. What is cut is counted in the summary.
const (
	MaxReportFindings = 250
	MaxReportResolved = 20
	MaxReportDigests  = 8
	MaxReportPolicies = 16
)

// SinceFrom says where the instant since which an image is there was read.
//
// +kubebuilder:validation:Enum=ReplicaSet;ControllerRevision;Pod;FirstSeen
type SinceFrom string

// The sources of since: the creation of the oldest object that carries the image, or
// the audit's own first look at it.
const (
	SinceReplicaSet         SinceFrom = "ReplicaSet"
	SinceControllerRevision SinceFrom = "ControllerRevision"
	SincePod                SinceFrom = "Pod"
	SinceFirstSeen          SinceFrom = "FirstSeen"
)

// AdmissionSight says whether admission could have made a finding.
//
// +kubebuilder:validation:Enum=CouldSee;CouldNotSee
type AdmissionSight string

// Admission sees what stands in an object. What really runs, and what else a node calls
// it, only the audit sees.
const (
	AdmissionCouldSee    AdmissionSight = "CouldSee"
	AdmissionCouldNotSee AdmissionSight = "CouldNotSee"
)

// ReportedWorkload names the workload that a finding is about: the topmost owner.
type ReportedWorkload struct {
	// apiVersion is the API version of the workload.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=317
	APIVersion string `json:"apiVersion,omitempty"`

	// kind is the kind of the workload.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Kind string `json:"kind"`

	// name is the name of the workload.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`

	// uid is the UID of the workload.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=128
	UID string `json:"uid,omitempty"`

	// scope is Cluster for a workload outside any namespace; such are reported in
	// Embargo's own.
	//
	// +optional
	// +kubebuilder:validation:Enum=Namespaced;Cluster;""
	Scope string `json:"scope,omitempty"`
}

// ReportedImage is the image that a finding is about, and where it stands.
type ReportedImage struct {
	// container is the name of the container or image volume.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Container string `json:"container,omitempty"`

	// image is the image as written, cut where it is longer than any reference may be. One
	// with characters that can't be seen is in quotes, with their codes: "busybox\u007f".
	//
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Image string `json:"image,omitempty"`

	// restriction is the name of the vendor's restriction.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Restriction string `json:"restriction,omitempty"`

	// since is when the image came to the workload, as far as can be told.
	//
	// +required
	Since metav1.Time `json:"since"`

	// sinceFrom says where since was read: the creation of the oldest ReplicaSet,
	// ControllerRevision or Pod that carries the image, or the audit's first sight of it.
	//
	// +required
	SinceFrom SinceFrom `json:"sinceFrom"`

	// imported is true where since comes from an imported report, and nothing that is in
	// the cluster is as old.
	//
	// +optional
	Imported bool `json:"imported,omitempty"`
}

// ReportedNext is the phase after the one in force.
type ReportedNext struct {
	// phase is the name of the phase.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Phase string `json:"phase"`

	// effective is when it begins by law.
	//
	// +required
	Effective metav1.Time `json:"effective"`

	// on is the day of that in the restriction's time zone.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=10
	On string `json:"on,omitempty"`

	// action is what it will ask for the same use.
	//
	// +optional
	// +kubebuilder:validation:Enum=Allow;Audit;Warn;Deny
	Action Action `json:"action,omitempty"`

	// toldDaysBefore is the fewest days before it at which an event announced it.
	//
	// +optional
	ToldDaysBefore int32 `json:"toldDaysBefore,omitempty"`
}

// ReportedFinding is one image of one workload × one restriction.
type ReportedFinding struct {
	// workload is the topmost owner of what carries the image.
	//
	// +required
	Workload ReportedWorkload `json:"workload"`

	ReportedImage `json:",inline"`

	// arrivedAfterBan is true where the image came after a phase began that refuses
	// what is newly brought in, and no waiver covered it.
	//
	// +optional
	ArrivedAfterBan bool `json:"arrivedAfterBan,omitempty"`

	// arrivalWaiver is the waiver that covered the image when it came.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=253
	ArrivalWaiver string `json:"arrivalWaiver,omitempty"`

	// carrier names what carries the image, as KIND/NAME, where that isn't the workload
	// itself.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=320
	Carrier string `json:"carrier,omitempty"`

	// field is the JSON path of the image field in the carrier.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Field string `json:"field,omitempty"`

	// canonical is the image as read; empty where it can't be.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Canonical string `json:"canonical,omitempty"`

	// upstream is the image with mirrors undone; empty where none applies.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Upstream string `json:"upstream,omitempty"`

	// alsoNamed is the other name, or the running digest, by which the image was found
	// to be the vendor's.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	AlsoNamed string `json:"alsoNamed,omitempty"`

	// admission is CouldNotSee where nothing in the object tells of the vendor: only
	// what runs does.
	//
	// +required
	Admission AdmissionSight `json:"admission"`

	// pods counts the Pods that carry the image and have not ended.
	//
	// +optional
	Pods int32 `json:"pods,omitempty"`

	// node is the node whose kubelet runs the workload from a file of its own.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Node string `json:"node,omitempty"`

	// digests are the digests that run: of manifests or indexes or, where the runtime
	// tells nothing else, such as CRI-O, of the image's configuration.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=136
	Digests []string `json:"digests,omitempty"`

	// configDigests are those of digests that are of an image's configuration. They differ
	// from one platform to the other, so they don't tell that a tag moved.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=136
	ConfigDigests []string `json:"configDigests,omitempty"`

	// moreDigests counts the running digests that are not listed.
	//
	// +optional
	MoreDigests int32 `json:"moreDigests,omitempty"`

	// updatedFrom is the digest that ran before, where another one came under the same
	// tag without any request.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=136
	UpdatedFrom string `json:"updatedFrom,omitempty"`

	// phase is the phase in force.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Phase string `json:"phase,omitempty"`

	// effective is when the phase began by law.
	//
	// +optional
	Effective *metav1.Time `json:"effective,omitempty"`

	// use is what an update of the object that leaves it as it is would do with the
	// image; Update where the digest of its tag changed.
	//
	// +required
	// +kubebuilder:validation:Enum=Introduce;Update;Continue
	Use string `json:"use"`

	// action is what the phase asks for that use.
	//
	// +required
	// +kubebuilder:validation:Enum=Allow;Audit;Warn;Deny
	Action Action `json:"action"`

	// restartAction is what would become of a Pod that is created in place of one
	// that runs.
	//
	// +optional
	// +kubebuilder:validation:Enum=Allow;Audit;Warn;Deny
	RestartAction Action `json:"restartAction,omitempty"`

	// restartOwner names, as KIND/NAME, the owner that doesn't carry the image, so that
	// its children don't continue it.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=320
	RestartOwner string `json:"restartOwner,omitempty"`

	// evidence is why the image counts as the vendor's, or why nobody can tell.
	//
	// +required
	// +kubebuilder:validation:Enum=Digest;Reference;Mirror;Unparsable;Unresolved
	Evidence string `json:"evidence"`

	// confidence is Suspected where the image need not be the vendor's.
	//
	// +optional
	Confidence Confidence `json:"confidence,omitempty"`

	// policies are the policies that bind the finding.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=253
	Policies []string `json:"policies,omitempty"`

	// waiver is the live waiver that covers it.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Waiver string `json:"waiver,omitempty"`

	// next is the phase to come.
	//
	// +optional
	Next *ReportedNext `json:"next,omitempty"`

	// remark is what the other fields don't say.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Remark string `json:"remark,omitempty"`
}

// ResolvedFinding is a finding that is no longer there.
type ResolvedFinding struct {
	// workload is the workload that it was about.
	//
	// +required
	Workload ReportedWorkload `json:"workload"`

	ReportedImage `json:",inline"`

	// resolvedAt is when the audit no longer found it.
	//
	// +required
	ResolvedAt metav1.Time `json:"resolvedAt"`
}

// VendorReportSummary sums a report up, the parts that are cut from it too.
type VendorReportSummary struct {
	// workloads counts the workloads with findings.
	//
	// +required
	Workloads int32 `json:"workloads"`

	// images counts the different images.
	//
	// +required
	Images int32 `json:"images"`

	// findings counts the findings by action.
	//
	// +required
	Findings ActionCounts `json:"findings"`

	// arrivedAfterBan counts the findings that came after a ban.
	//
	// +required
	ArrivedAfterBan int32 `json:"arrivedAfterBan"`

	// shown says how many of the findings are listed, such as "250 of 10000".
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	Shown string `json:"shown"`

	// action is the strongest action.
	//
	// +optional
	// +kubebuilder:validation:Enum=Allow;Audit;Warn;Deny
	Action Action `json:"action,omitempty"`

	// restriction is the one with that action, and of those the one whose next phase
	// begins first.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Restriction string `json:"restriction,omitempty"`

	// restrictions counts the restrictions with findings.
	//
	// +required
	Restrictions int32 `json:"restrictions"`

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

	// nextOn is the day on which it begins, in the restriction's time zone.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=10
	NextOn string `json:"nextOn,omitempty"`

	// since is the earliest since of all findings.
	//
	// +optional
	Since *metav1.Time `json:"since,omitempty"`
}

// ReportImport says that somebody restored the report from a backup, and that the audit
// took over its history.
type ReportImport struct {
	// at is when the report was restored.
	//
	// +required
	At metav1.Time `json:"at"`

	// evaluatedAt is when the audit that wrote the backup's report last came to another
	// content.
	//
	// +required
	EvaluatedAt metav1.Time `json:"evaluatedAt"`

	// awaited counts the findings of the backup whose workloads are not in the cluster
	// yet. A day after the import they are resolved.
	//
	// +optional
	Awaited int32 `json:"awaited,omitempty"`
}

// VendorReport is what of a vendor is found in a namespace. Only the audit writes it.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Namespaced,shortName=vr,categories=embargo
// +kubebuilder:printcolumn:name="Workloads",type=integer,JSONPath=`.summary.workloads`
// +kubebuilder:printcolumn:name="Images",type=integer,JSONPath=`.summary.images`
// +kubebuilder:printcolumn:name="Action",type=string,JSONPath=`.summary.action`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.summary.phase`
// +kubebuilder:printcolumn:name="Next",type=string,JSONPath=`.summary.next`
// +kubebuilder:printcolumn:name="Next-On",type=string,JSONPath=`.summary.nextOn`
// +kubebuilder:printcolumn:name="Since",type=date,JSONPath=`.summary.since`
// +kubebuilder:printcolumn:name="Restriction",type=string,priority=1,JSONPath=`.summary.restriction`
// +kubebuilder:printcolumn:name="Restrictions",type=integer,priority=1,JSONPath=`.summary.restrictions`
// +kubebuilder:printcolumn:name="After-Ban",type=integer,priority=1,JSONPath=`.summary.arrivedAfterBan`
// +kubebuilder:printcolumn:name="Shown",type=string,priority=1,JSONPath=`.summary.shown`
// +kubebuilder:printcolumn:name="Imported",type=date,priority=1,JSONPath=`.imported.at`
type VendorReport struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the object's metadata. The name is the vendor's.
	//
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// vendor is the name of the RestrictedVendor; empty in the report on images that
	// can't be read.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Vendor string `json:"vendor,omitempty"`

	// namespaceUID is the UID of the namespace that the audit wrote the report for. In a
	// report that was restored from a backup it is another namespace's.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=128
	NamespaceUID string `json:"namespaceUID,omitempty"`

	// imported says that the report was restored from a backup.
	//
	// +optional
	Imported *ReportImport `json:"imported,omitempty"`

	// ruleSet is the digest of the rule set that the findings were made with.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=136
	RuleSet string `json:"ruleSet"`

	// evaluatedAt is when the audit came to this content. A later look that comes to
	// the same changes nothing.
	//
	// +required
	EvaluatedAt metav1.Time `json:"evaluatedAt"`

	// summary sums all findings up.
	//
	// +required
	Summary VendorReportSummary `json:"summary,omitzero"`

	// findings are what was found: first what arrived after a ban, then the strongest
	// action, then by workload, image and restriction.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=250
	Findings []ReportedFinding `json:"findings,omitempty"`

	// resolved are the last findings that are no longer there, the latest first.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	Resolved []ResolvedFinding `json:"resolved,omitempty"`
}

// VendorReportList is a list of VendorReports.
//
// +kubebuilder:object:root=true
type VendorReportList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []VendorReport `json:"items"`
}
