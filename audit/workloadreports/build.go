package workloadreports

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"

	openreports "github.com/openreports/reports-api/apis/openreports.io/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"embargo.dev/audit/exposure"
)

const (
	// source names Embargo among the tools that write such reports, as field manager,
	// label and prefix too: several tools name their reports by the workload's UID.
	source     = "embargo"
	namePrefix = source + "-"

	managedByLabel = "app.kubernetes.io/managed-by"
	// notBackedUpLabel keeps Velero from it: its name has a UID that a restored workload
	// doesn't have.
	notBackedUpLabel = "velero.io/exclude-from-backup"
	// shownAnnotation says how many of the findings are listed, where not all are.
	shownAnnotation = "embargo.dev/shown"

	// maxResults is how many results a report lists at most.
	maxResults = 100
)

// nameOf is the name of the report on a workload. What an object says of an owner that
// nobody watches may have any UID, also one that can be part of no name.
func nameOf(workload types.UID) string {
	name := namePrefix + string(workload)
	if len(validation.IsDNS1123Subdomain(name)) > 0 {
		sum := sha256.Sum256([]byte(workload))
		name = namePrefix + hex.EncodeToString(sum[:16])
	}
	return name
}

// build makes the report on a workload, of its findings in the order of reports.
func (w *Writer) build(namespace string, findings []*exposure.Finding) *openreports.Report {
	about := findings[0].Workload
	reference := referenceTo(about)
	report := &openreports.Report{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: nameOf(about.UID), Labels: map[string]string{managedByLabel: source, notBackedUpLabel: "true"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: about.APIVersion, Kind: about.Kind, Name: about.Name, UID: about.UID}},
		},
		Source: source,
		Scope:  &reference,
	}
	for i, f := range findings {
		result := w.result(namespace, f)
		count(&report.Summary, result.Result)
		if i < maxResults {
			report.Results = append(report.Results, result)
		}
	}
	if len(findings) > maxResults {
		report.Annotations = map[string]string{shownAnnotation: fmt.Sprintf("%d of %d", maxResults, len(findings))}
	}
	return report
}

func referenceTo(w exposure.Workload) corev1.ObjectReference {
	return corev1.ObjectReference{
		APIVersion: w.APIVersion, Kind: w.Kind, Namespace: w.Namespace, Name: w.Name, UID: w.UID,
	}
}

func count(summary *openreports.ReportSummary, result openreports.Result) {
	switch result {
	case fail:
		summary.Fail++
	case warn:
		summary.Warn++
	case skip:
		summary.Skip++
	default:
		summary.Error++
	}
}

// fingerprint tells contents apart that are the writer's.
func fingerprint(report *openreports.Report) uint64 {
	hash := fnv.New64a()
	// The types marshal to JSON whatever they hold, and a hash takes whatever is
	// written to it. PolicyReports have no source of their own.
	_ = json.NewEncoder(hash).Encode([]any{
		report.Labels[managedByLabel], report.Annotations[shownAnnotation], report.OwnerReferences, report.Scope, report.Summary, report.Results,
	})
	return hash.Sum64()
}

// object makes what is sent to the API server of a report.
func (a *api) object(report *openreports.Report) (*unstructured.Unstructured, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(report)
	if err != nil {
		return nil, fmt.Errorf("converting report %s: %w", report.Name, err)
	}
	o := &unstructured.Unstructured{Object: content}
	o.SetGroupVersionKind(a.GroupVersion().WithKind(a.kind))
	unstructured.RemoveNestedField(content, "metadata", "creationTimestamp")
	if a == policyReports {
		delete(content, "source") // only its results have one
	}
	return o, nil
}

// read reads a report that is in the cluster.
func read(o *unstructured.Unstructured) (*openreports.Report, error) {
	report := &openreports.Report{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, report); err != nil {
		return nil, fmt.Errorf("reading report %s/%s: %w", o.GetNamespace(), o.GetName(), err)
	}
	return report, nil
}
