package reports

import (
	"cmp"
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"embargo.dev/audit/exposure"
	"embargo.dev/policies/v1alpha1"
)

// keepResolved is how long a resolved finding stays.
const keepResolved = 30 * 24 * time.Hour

// memories are what is remembered of a namespace's findings on a vendor.
type memories struct {
	findings map[exposure.Key]exposure.Memory
	unlisted map[uint64]record                // by a hash of the key: the report kept no more of them
	awaited  map[exposure.Key]exposure.Memory // of an imported report, by the names of workloads
	resolved []v1alpha1.ResolvedFinding       // the latest first
	imported *imported                        // nil where no report was imported
}

// recall returns what is remembered of a finding; false where nothing is.
func (m *memories) recall(key exposure.Key, w exposure.Workload) (exposure.Memory, bool) {
	if memory, known := m.findings[key]; known || len(m.awaited)+len(m.unlisted) == 0 {
		return memory, known
	}
	named := key.Named(w)
	if memory, known := m.awaited[named]; known {
		return memory, true
	}
	if r, known := m.unlisted[hashOf(named)]; known && (r.awaited || r.workload == checkOf(key.Workload)) {
		return r.memory, true
	}
	return exposure.Memory{}, false
}

// remembered reads memories out of a report.
func remembered(report *v1alpha1.VendorReport) *memories {
	m := &memories{
		findings: make(map[exposure.Key]exposure.Memory, len(report.Findings)), unlisted: unlisted(report), resolved: report.Resolved,
		awaited: map[exposure.Key]exposure.Memory{}, imported: importedBefore(report),
	}
	for i := range report.Findings {
		f := &report.Findings[i]
		memory := exposure.Memory{
			Workload: exposure.Workload{
				APIVersion: f.Workload.APIVersion, Kind: f.Workload.Kind, Namespace: report.Namespace, Name: f.Workload.Name,
				UID: types.UID(f.Workload.UID), Cluster: f.Workload.Scope == "Cluster",
			},
			Image: f.Image, Since: f.Since.Time, SinceFrom: f.SinceFrom, Imported: f.Imported, ArrivedAfterBan: f.ArrivedAfterBan, ArrivalWaiver: f.ArrivalWaiver,
			Covered: f.ArrivalWaiver != "", Digests: exposure.ManifestDigests(f.Digests, f.ConfigDigests), UpdatedFrom: f.UpdatedFrom, Phase: f.Phase, RuleSet: report.RuleSet, At: report.EvaluatedAt.Time,
		}
		if f.MoreDigests > 0 {
			memory.Digests = nil // nobody can tell which of those that run are new
		}
		if f.Next != nil {
			memory.NextPhase, memory.ToldDaysBefore = f.Next.Phase, f.Next.ToldDaysBefore
		}
		key := exposure.Key{
			Workload: types.UID(f.Workload.UID), Container: f.Container, Image: exposure.Identity(f.Image, f.Canonical, f.Upstream, f.AlsoNamed),
			Vendor: report.Vendor, Restriction: f.Restriction,
		}
		if f.Node != "" {
			key.Workload = types.UID("static/" + f.Workload.Name)
		}
		m.findings[key] = memory
	}
	return m
}

// update takes what is found now, and moves what no longer is to the resolved ones; what
// can't be seen at the time stays remembered.
func (m *memories) update(findings []*exposure.Finding, look *exposure.Look) {
	current := make(map[exposure.Key]exposure.Memory, len(findings))
	for _, f := range findings {
		key := f.Key()
		before, _ := m.recall(key, f.Workload)
		current[key] = f.Remember(look.RuleSet, look.Now, before)
	}
	m.arrive(findings)
	gone := m.giveUp(look)
	if len(look.Unseen) == 0 {
		// Whatever else is there is among the others now.
		maps.DeleteFunc(m.unlisted, func(_ uint64, r record) bool { return !r.awaited })
	}
	for key, memory := range m.findings {
		if _, there := current[key]; there {
			continue
		}
		if look.Unseen[memory.Workload.GroupKind()] {
			current[key] = memory
			continue
		}
		gone = append(gone, resolved(key, memory, look.Now))
	}
	slices.SortFunc(gone, func(a, b v1alpha1.ResolvedFinding) int {
		return cmp.Or(cmp.Compare(a.Workload.Kind, b.Workload.Kind), cmp.Compare(a.Workload.Name, b.Workload.Name), cmp.Compare(a.Container, b.Container),
			cmp.Compare(a.Image, b.Image), cmp.Compare(a.Restriction, b.Restriction))
	})
	m.findings = current
	m.resolved = slices.DeleteFunc(slices.Concat(gone, m.resolved), func(r v1alpha1.ResolvedFinding) bool {
		return look.Now.Sub(r.ResolvedAt.Time) > keepResolved
	})
	if len(m.resolved) > v1alpha1.MaxReportResolved {
		m.resolved = slices.Clone(m.resolved[:v1alpha1.MaxReportResolved])
	}
}

// resolved makes the entry of a finding that is no longer there.
func resolved(key exposure.Key, memory exposure.Memory, now time.Time) v1alpha1.ResolvedFinding {
	return v1alpha1.ResolvedFinding{
		Workload: workload(memory.Workload), ReportedImage: imageOf(key, memory.Image, memory.Since, memory.SinceFrom, memory.Imported),
		ResolvedAt: metav1.NewTime(now.Truncate(time.Second)),
	}
}

// byVendor parts findings, which keep their order.
func byVendor(findings []*exposure.Finding) map[string][]*exposure.Finding {
	parts := map[string][]*exposure.Finding{}
	for _, f := range findings {
		parts[f.Vendor] = append(parts[f.Vendor], f)
	}
	return parts
}

// vendorsIn are the vendors of both, sorted.
func vendorsIn(parts map[string][]*exposure.Finding, there map[string]*memories) []string {
	all := map[string]bool{}
	for vendor := range parts {
		all[vendor] = true
	}
	for vendor := range there {
		all[vendor] = true
	}
	return slices.Sorted(maps.Keys(all))
}
