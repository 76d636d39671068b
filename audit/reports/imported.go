package reports

import (
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"embargo.dev/audit/exposure"
	"embargo.dev/policies/v1alpha1"
)

// keepAwaited is how long the findings of an imported report wait for their workloads,
// which may be restored after it.
const keepAwaited = 24 * time.Hour

// imported is a report that was restored from a backup.
type imported struct {
	uid             types.UID // of the report as it was restored; "" where another audit took it over
	at, evaluatedAt time.Time
}

// isImported reports whether a report was written for another namespace than the one that
// it is in. The audit writes the namespace's UID into each report, and nobody may import a
// report with that UID.
func (r *Reports) isImported(report *v1alpha1.VendorReport) bool {
	return r.namespace != nil && report.NamespaceUID != string(r.namespace(report.Namespace))
}

// importedBefore returns what a report says of its own import.
func importedBefore(report *v1alpha1.VendorReport) *imported {
	if report.Imported == nil {
		return nil
	}
	return &imported{at: report.Imported.At.Time, evaluatedAt: report.Imported.EvaluatedAt.Time}
}

// importStatus returns what the report says of its import; nil where there was none.
func (m *memories) importStatus() *v1alpha1.ReportImport {
	if m.imported == nil {
		return nil
	}
	return &v1alpha1.ReportImport{At: metav1.NewTime(m.imported.at), EvaluatedAt: metav1.NewTime(m.imported.evaluatedAt), Awaited: count(m.countAwaited())}
}

func (m *memories) countAwaited() int {
	n := len(m.awaited)
	for _, r := range m.unlisted {
		if r.awaited {
			n++
		}
	}
	return n
}

// waits reports whether findings of an imported report still wait for their workloads.
func (m *memories) waits(now time.Time) bool {
	return m.imported != nil && m.countAwaited() > 0 && now.Before(m.imported.at.Add(keepAwaited))
}

// importReport takes over the history of a report that was restored from a backup: false
// where it has already. The restored workloads have other UIDs than those in the report, so
// findings are matched by the names of their workloads.
func (m *memories) importReport(report *v1alpha1.VendorReport) bool {
	if m.imported != nil && m.imported.uid == report.UID {
		return false
	}
	m.imported = &imported{uid: report.UID, at: report.CreationTimestamp.Time, evaluatedAt: report.EvaluatedAt.Time}
	before := remembered(report)
	m.awaited = make(map[exposure.Key]exposure.Memory, len(before.findings))
	for key, memory := range before.findings {
		memory.Imported = true
		m.awaited[key.Named(memory.Workload)] = memory
	}
	if m.unlisted == nil {
		m.unlisted = map[uint64]record{}
	}
	for hash, r := range before.unlisted {
		r.awaited, r.memory.Imported = true, true
		m.unlisted[hash] = r
	}
	history := slices.Clone(before.resolved)
	for i := range history {
		history[i].Imported = true
	}
	m.resolved = latest(slices.Concat(m.resolved, history))
	m.extend()
	return true
}

// extend gives findings that are known already the history of the imported report, where
// that goes further back.
func (m *memories) extend() {
	for key, memory := range m.findings {
		named := key.Named(memory.Workload)
		before, known := m.awaited[named]
		if !known {
			before, known = m.unlisted[hashOf(named)].memory, m.unlisted[hashOf(named)].awaited
		}
		if known && before.Since.Before(memory.Since) {
			memory.Since, memory.SinceFrom, memory.Imported = before.Since, before.SinceFrom, true
			memory.ArrivedAfterBan, memory.ArrivalWaiver, memory.Covered = before.ArrivedAfterBan, before.ArrivalWaiver, before.Covered
			m.findings[key] = memory
		}
	}
}

// arrive takes note that workloads are there which findings of an imported report waited
// for.
func (m *memories) arrive(findings []*exposure.Finding) {
	if m.countAwaited() == 0 {
		return
	}
	for _, f := range findings {
		named := f.Key().Named(f.Workload)
		delete(m.awaited, named)
		if hash := hashOf(named); m.unlisted[hash].awaited {
			delete(m.unlisted, hash)
		}
	}
}

// giveUp resolves the findings of an imported report whose workloads didn't come in time.
// Of those that a leader knows by their hashes alone nothing is left to show.
func (m *memories) giveUp(look *exposure.Look) []v1alpha1.ResolvedFinding {
	if m.countAwaited() == 0 || m.waits(look.Now) {
		return nil
	}
	var gone []v1alpha1.ResolvedFinding
	for key, memory := range m.awaited {
		if !look.Unseen[memory.Workload.GroupKind()] {
			gone = append(gone, resolved(key, memory, look.Now))
			delete(m.awaited, key)
		}
	}
	maps.DeleteFunc(m.unlisted, func(_ uint64, r record) bool { return r.awaited })
	return gone
}

// latest returns the last resolved findings, as many as a report holds, the latest first.
func latest(all []v1alpha1.ResolvedFinding) []v1alpha1.ResolvedFinding {
	slices.SortStableFunc(all, func(a, b v1alpha1.ResolvedFinding) int { return b.ResolvedAt.Compare(a.ResolvedAt.Time) })
	return slices.Clone(all[:min(len(all), v1alpha1.MaxReportResolved)])
}
