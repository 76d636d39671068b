package reports

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"embargo.dev/audit/exposure"
	"embargo.dev/policies/v1alpha1"
)

// restoredReport is what a desk has written, as it stands in another cluster once it is
// restored there. It has a resolved finding.
func restoredReport(t *testing.T, found []*exposure.Finding) *v1alpha1.VendorReport {
	t.Helper()
	d := newDesk(t)
	d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Findings: append(findings(len(found) + 1)[len(found):], found...), Now: now})
	d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Findings: found, Now: now})
	report := d.await(t, func(r *v1alpha1.VendorReport) bool { return r != nil && len(r.Resolved) == 1 })
	report.UID, report.CreationTimestamp, report.NamespaceUID, report.ResourceVersion = "restored", metav1.NewTime(now.Add(time.Hour)), "of-the-old-cluster", ""
	return report
}

// restoredWorkloads are findings on the same workloads, which have other UIDs now.
func restoredWorkloads(found []*exposure.Finding, recall exposure.Recall) []*exposure.Finding {
	var all []*exposure.Finding
	for _, f := range found {
		again := *f
		again.Workload.UID = "restored-" + again.Workload.UID
		memory, known := recall(again.Key(), again.Workload)
		again.Known, again.Since, again.SinceFrom, again.ArrivedAfterBan, again.Imported = known, memory.Since, memory.SinceFrom, memory.ArrivedAfterBan, memory.Imported
		all = append(all, &again)
	}
	return all
}

func TestARestoredReportsHistoryIsTakenOver(t *testing.T) {
	found := findings(3)
	found[0].ArrivedAfterBan = true
	report := restoredReport(t, found)

	d := newDesk(t, report)
	report = d.report(t)
	assert.True(t, d.Change(watch.Added, report))
	assert.False(t, d.Change(watch.Added, report), "it is imported once")
	later := now.Add(2 * time.Hour)
	there := restoredWorkloads(found[:2], d.Recall("mail"))
	d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Findings: there, Now: later})
	written := d.await(t, func(r *v1alpha1.VendorReport) bool { return r.NamespaceUID == "uid-of-namespace-mail" })
	require.Len(t, written.Findings, 2)
	for i, f := range written.Findings {
		assert.True(t, f.Since.Equal(&metav1.Time{Time: found[i].Since}), "since is kept")
		assert.Equal(t, v1alpha1.SincePod, f.SinceFrom)
		assert.True(t, f.Imported)
		assert.Equal(t, types.UID(f.Workload.UID), there[i].Workload.UID)
		assert.Equal(t, i == 0, f.ArrivedAfterBan)
	}
	require.Len(t, written.Resolved, 1)
	assert.True(t, written.Resolved[0].Imported)
	assert.Equal(t, &v1alpha1.ReportImport{At: report.CreationTimestamp, EvaluatedAt: report.EvaluatedAt, Awaited: 1}, written.Imported)

	// Another leader finds the third workload, which is restored last.
	next := newDesk(t, written)
	next.Page([]runtime.Object{next.report(t)}, 1)
	next.Listed(1)
	all := restoredWorkloads(found, next.Recall("mail"))
	assert.True(t, all[2].Known)
	assert.True(t, all[2].Since.Equal(found[2].Since))
	assert.True(t, all[2].Imported)
	next.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Findings: all, Now: later})
	written = next.await(t, shows("3 of 3"))
	assert.Zero(t, written.Imported.Awaited)
	assert.Empty(t, written.Annotations[unlistedAnnotation])
}

// TestWorkloadsThatAreNotRestoredAreResolved waits a day for them, on an audit that has the
// report before its vendor.
func TestWorkloadsThatAreNotRestoredAreResolved(t *testing.T) {
	report := restoredReport(t, findings(2))
	d := newDesk(t, report)
	require.True(t, d.Change(watch.Added, d.report(t)))
	d.gone = true
	d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Now: now.Add(2 * time.Hour)})
	d.gone = false
	d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Now: now.Add(3 * time.Hour)})
	written := d.await(t, shows("0 of 0"))
	assert.EqualValues(t, 2, written.Imported.Awaited)
	d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Now: report.CreationTimestamp.Add(keepAwaited)})
	written = d.await(t, func(r *v1alpha1.VendorReport) bool { return len(r.Resolved) == 3 })
	for _, r := range written.Resolved {
		assert.True(t, r.Imported)
	}
	assert.Zero(t, written.Imported.Awaited)
}

// TestAReportThatIsRestoredLateExtendsTheHistory restores it when the audit knows the
// workloads already.
func TestAReportThatIsRestoredLateExtendsTheHistory(t *testing.T) {
	found := findings(1)
	report := restoredReport(t, found)
	d := newDesk(t)
	seen := restoredWorkloads(found, d.Recall("mail"))
	seen[0].Since, seen[0].SinceFrom = now.Add(time.Hour), v1alpha1.SinceFirstSeen
	d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Findings: seen, Now: now.Add(time.Hour)})
	require.True(t, d.Change(watch.Added, report))
	memory, known := d.Recall("mail")(seen[0].Key(), seen[0].Workload)
	require.True(t, known)
	assert.True(t, memory.Since.Equal(found[0].Since))
	assert.True(t, memory.Imported)
}

// TestMoreFindingsThanAReportListsAreImported has the unlisted ones known by hashes alone.
func TestMoreFindingsThanAReportListsAreImported(t *testing.T) {
	found := findings(v1alpha1.MaxReportFindings + 10)
	report := restoredReport(t, found)
	d := newDesk(t, report)
	require.True(t, d.Change(watch.Added, d.report(t)))
	for _, f := range restoredWorkloads(found, d.Recall("mail")) {
		require.True(t, f.Known, f.Workload.Name)
		require.True(t, f.Imported)
	}
}

// TestAWorkloadThatIsMadeAgainIsAnotherOne though nothing but a hash is known of the first.
func TestAWorkloadThatIsMadeAgainIsAnotherOne(t *testing.T) {
	found := findings(v1alpha1.MaxReportFindings + 1)
	d := newDesk(t)
	d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Findings: found, Now: now})
	written := d.await(t, func(r *v1alpha1.VendorReport) bool { return r != nil })
	next := newDesk(t, written)
	next.Page([]runtime.Object{written}, 1)
	last := *found[v1alpha1.MaxReportFindings]
	_, known := next.Recall("mail")(last.Key(), last.Workload)
	assert.True(t, known)
	last.Workload.UID = "made-again"
	_, known = next.Recall("mail")(last.Key(), last.Workload)
	assert.False(t, known)
}
