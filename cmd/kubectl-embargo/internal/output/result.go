// Package output prints the result of a check of files, or of an audit of what runs.
package output

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/policies/workload"
)

// The kinds of result.
const (
	KindCheck = "CheckResult" // of files
	KindAudit = "AuditResult" // of live clusters
)

// Result is the result of a check or an audit; scripts depend on its shape.
type Result struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	AsOf       string   `json:"asOf"`
	RuleSet    string   `json:"ruleSet"`
	Notices    []string `json:"notices"`
	Summary    Summary  `json:"summary"`
	// Clusters are those that were read, each by its own rule set. RuleSet names them all
	// where they differ.
	Clusters []Cluster `json:"clusters,omitempty"`
	// Errors are inputs, and what of a cluster, that could not be read.
	Errors   []InputError `json:"errors"`
	Findings []Finding    `json:"findings"`

	Background `json:"-"`
}

// Background is what the formats for people and for other programs tell beyond the
// JSON. All of it may be left out.
type Background struct {
	Vendors   []v1alpha1.RestrictedVendor // that findings may name: their citations and schedules
	Unchecked []InputError                // documents that look like objects but are none
	Images    []Image                     // every image that was evaluated, for formats that need it
	// NotLookedFor are vendors that no image can be found of, whatever runs.
	NotLookedFor []string
	FailOn       v1alpha1.Action  // the weakest action that fails; "" for none
	Instant      policies.Instant // AsOf
	Made         time.Time        // when the result was made
	Version      string           // of this program
}

// InputError is an input that could not be read, or something else that was not evaluated.
type InputError struct {
	File    string `json:"file"` // "" for what is no file
	Line    int    `json:"line"` // from 1, 0 where no line can be named
	Message string `json:"message"`
}

// String says where and what.
func (e InputError) String() string {
	switch {
	case e.File == "":
		return e.Message
	case e.Line == 0:
		return fmt.Sprintf("%s: %s", e.File, e.Message)
	default:
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Message)
	}
}

// problems are the errors for people.
func problems(errs []InputError) []string {
	var texts []string
	for _, e := range errs {
		texts = append(texts, e.String())
	}
	return texts
}

// Summary counts what was read and found.
type Summary struct {
	Objects    int `json:"objects"`
	Skipped    int `json:"skipped"`
	Images     int `json:"images"`
	Deny       int `json:"deny"`
	Warn       int `json:"warn"`
	Audit      int `json:"audit"`
	Unparsable int `json:"unparsable"`
}

// Finding is a finding with its place and its object. One in a file has a file and no
// cluster, one of an audit the other way round.
type Finding struct {
	Cluster    string `json:"cluster,omitempty"`
	File       string `json:"file,omitempty"`
	Line       int    `json:"line,omitempty"`
	Column     int    `json:"column,omitempty"`
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`

	policies.Finding

	// Since is since when the workload has carried the image, as far as an audit knows.
	Since *time.Time `json:"since,omitempty"`

	Running

	// EndColumn is the column behind the value, 0 where it isn't known.
	EndColumn int `json:"-"`
}

// Image is an image field that was evaluated.
type Image struct {
	Cluster, File, APIVersion, Kind, Namespace, Name string
	Container, Field, Image                          string
}

// Count counts the findings by action.
func (r *Result) Count() {
	for _, f := range r.Findings {
		switch f.Action {
		case v1alpha1.ActionDeny:
			r.Summary.Deny++
		case v1alpha1.ActionWarn:
			r.Summary.Warn++
		default:
			r.Summary.Audit++
		}
		if f.Evidence == policies.EvidenceUnparsable {
			r.Summary.Unparsable++
		}
	}
}

// Strongest is the strongest action of all findings.
func (r *Result) Strongest() v1alpha1.Action { return strongest(r.Findings) }

// live reports whether the result is of clusters.
func (r *Result) live() bool { return r.Kind == KindAudit }

// unread reports whether no cluster could be read, so that nothing is known.
func (r *Result) unread() bool { return r.live() && noneRead(r.Errors, r.Clusters) }

// AddImages adds the images of an object, which identity tells.
func (r *Result) AddImages(identity Finding, images []workload.Image) {
	for _, img := range images {
		r.Images = append(r.Images, Image{
			Cluster: identity.Cluster, File: identity.File, APIVersion: identity.APIVersion, Kind: identity.Kind,
			Namespace: identity.Namespace, Name: identity.Name, Container: img.Name, Field: img.Field, Image: img.Value,
		})
	}
}

// fails reports whether an action makes the result a failure.
func (r *Result) fails(action v1alpha1.Action) bool {
	return r.FailOn != "" && action.Strength() >= r.FailOn.Strength()
}

// SortImages puts the images in the order of their workloads.
func (r *Result) SortImages() {
	slices.SortFunc(r.Images, func(a, b Image) int {
		return cmp.Or(
			cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.Field, b.Field),
		)
	})
}
