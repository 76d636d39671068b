package output

import "embargo.dev/policies/v1alpha1"

// Running is what an audit knows of an image beyond what admission does.
type Running struct {
	SinceFrom v1alpha1.SinceFrom `json:"sinceFrom,omitempty"`
	// ArrivedAfterBan says that it came after a phase began that refuses what is newly
	// brought in, and that no waiver covered it.
	ArrivedAfterBan bool `json:"arrivedAfterBan,omitempty"`
	// Carrier is KIND/NAME of what carries the image, where it isn't the workload itself.
	Carrier string   `json:"carrier,omitempty"`
	Pods    int      `json:"pods,omitempty"` // that run it
	Node    string   `json:"node,omitempty"` // that runs it from a file
	Digests []string `json:"digests,omitempty"`
	// ConfigDigests are those of Digests that are of an image's configuration.
	ConfigDigests []string `json:"configDigests,omitempty"`
	// UpdatedFrom is the digest that ran before another one came under the same tag.
	UpdatedFrom string `json:"updatedFrom,omitempty"`
	// Admission says whether admission could have seen it.
	Admission v1alpha1.AdmissionSight `json:"admission,omitempty"`
	// AlsoNamed is by which other name it was recognised, which admission can't see.
	AlsoNamed string `json:"alsoNamed,omitempty"`
	// RestartAction is what is done about a Pod made in place of one that runs, and
	// RestartOwner KIND/NAME of an owner that makes it but doesn't carry the image.
	RestartAction v1alpha1.Action `json:"restartAction,omitempty"`
	RestartOwner  string          `json:"restartOwner,omitempty"`
}

// Cluster is a cluster that was read.
type Cluster struct {
	Name    string `json:"name"`
	RuleSet string `json:"ruleSet"`
	Objects int    `json:"objects"`
	Images  int    `json:"images"`
	// Complete says that all of it could be read.
	Complete bool `json:"complete"`
}
