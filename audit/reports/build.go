package reports

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"embargo.dev/audit/exposure"
	"embargo.dev/policies/v1alpha1"
)

// build makes the report of a namespace on a vendor, but for when it was evaluated.
func build(namespace, vendor, ruleSet string, findings []*exposure.Finding, m *memories) *v1alpha1.VendorReport {
	report := &v1alpha1.VendorReport{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: nameOf(vendor)},
		Vendor:     vendor,
		RuleSet:    ruleSet,
		Findings:   list(findings),
		Resolved:   m.resolved,
		Imported:   m.importStatus(),
	}
	report.Summary = summarise(findings, len(report.Findings))
	m.keep(report, findings)
	return report
}

// maxListed is how many bytes the listed findings of a report may take. What etcd takes is
// one and a half megabytes, which texts that are as long as they may be, and have much to
// be escaped, would exceed: whoever made them could keep the report from being written.
const maxListed = 896 << 10

// list lists the first findings, as many as fit.
func list(findings []*exposure.Finding) []v1alpha1.ReportedFinding {
	var all []v1alpha1.ReportedFinding
	room := maxListed
	for _, f := range findings[:min(len(findings), v1alpha1.MaxReportFindings)] {
		one := reported(f)
		text, _ := json.Marshal(&one) // the type marshals whatever it holds
		if room -= len(text); room < 0 {
			break
		}
		all = append(all, one)
	}
	return all
}

// nameOf is the name of the report on a vendor.
func nameOf(vendor string) string { return cmp.Or(vendor, v1alpha1.UnreadableImages) }

func summarise(findings []*exposure.Finding, listed int) v1alpha1.VendorReportSummary {
	s := v1alpha1.VendorReportSummary{Shown: fmt.Sprintf("%d of %d", listed, len(findings))}
	workloads, images, restrictions := map[exposure.Workload]bool{}, map[string]bool{}, map[string]bool{}
	var (
		first *exposure.Finding
		since time.Time
	)
	for _, f := range findings {
		workloads[f.Workload] = true
		images[cmp.Or(f.Canonical, f.Image)] = true
		restrictions[f.Restriction] = true
		s.Findings.Count(f.Action)
		if f.ArrivedAfterBan {
			s.ArrivedAfterBan++
		}
		if first == nil || mattersMore(f, first) {
			first = f
		}
		if since.IsZero() || f.Since.Before(since) {
			since = f.Since
		}
	}
	s.Workloads, s.Images, s.Restrictions = count(len(workloads)), count(len(images)), count(len(restrictions))
	if first != nil {
		s.Action, s.Restriction, s.Phase = first.Action, first.Restriction, first.Phase
		oldest := metav1.NewTime(since)
		s.Since = &oldest
		if first.Next != nil {
			s.Next, s.NextOn = first.Next.Phase, first.Next.On
		}
	}
	return s
}

// mattersMore orders findings for the one line that kubectl get shows: the strongest
// action, then the earliest next phase.
func mattersMore(a, b *exposure.Finding) bool {
	return cmp.Or(
		cmp.Compare(a.Action.Strength(), b.Action.Strength()),
		nextOf(b).Compare(nextOf(a)),
		cmp.Compare(b.Restriction, a.Restriction),
	) > 0
}

func nextOf(f *exposure.Finding) time.Time {
	if f.Next == nil {
		return time.Unix(1<<40, 0) // after all that have one
	}
	return f.Next.Effective
}

func count(n int) int32 { return int32(n) } // objects of a cluster

func reported(f *exposure.Finding) v1alpha1.ReportedFinding {
	r := v1alpha1.ReportedFinding{
		Workload:        workload(f.Workload),
		ReportedImage:   imageOf(f.Key(), f.Image, f.Since, f.SinceFrom, f.Imported),
		ArrivedAfterBan: f.ArrivedAfterBan,
		ArrivalWaiver:   f.ArrivalWaiver,
		Carrier:         f.Carrier,
		Field:           exposure.Shown(f.Field),
		Canonical:       exposure.Shown(f.Canonical),
		Upstream:        exposure.Shown(f.Upstream),
		AlsoNamed:       exposure.Shown(f.AlsoNamed),
		Admission:       f.Admission,
		Pods:            count(f.Pods),
		Node:            f.Node,
		Digests:         slices.Clone(f.Digests[:min(len(f.Digests), v1alpha1.MaxReportDigests)]),
		ConfigDigests:   ofListed(f),
		MoreDigests:     count(max(0, len(f.Digests)-v1alpha1.MaxReportDigests)),
		UpdatedFrom:     f.UpdatedFrom,
		Phase:           f.Phase,
		Use:             string(f.Use),
		Action:          f.Action,
		RestartAction:   f.RestartAction,
		RestartOwner:    f.RestartOwner,
		Evidence:        string(f.Evidence),
		Confidence:      f.Confidence,
		Policies:        slices.Clone(f.Policies[:min(len(f.Policies), v1alpha1.MaxReportPolicies)]),
		Waiver:          f.Waiver,
		Remark:          exposure.Shown(remark(f)),
	}
	if f.Effective != nil {
		effective := metav1.NewTime(*f.Effective)
		r.Effective = &effective
	}
	if f.Next != nil {
		r.Next = &v1alpha1.ReportedNext{
			Phase: f.Next.Phase, Effective: metav1.NewTime(f.Next.Effective), On: f.Next.On, Action: f.Next.Action, ToldDaysBefore: f.ToldDaysBefore,
		}
	}
	return r
}

// ofListed returns those of the listed digests that are of configurations.
func ofListed(f *exposure.Finding) []string {
	listed := f.Digests[:min(len(f.Digests), v1alpha1.MaxReportDigests)]
	return slices.DeleteFunc(slices.Clone(f.ConfigDigests), func(d string) bool { return !slices.Contains(listed, d) })
}

// remark says why a finding is other than admission's would be.
func remark(f *exposure.Finding) string {
	switch {
	case f.Vendor == "":
		return f.Message
	case f.UpdatedFrom != "":
		return "another digest came under the same tag without any request: admission would judge an update that names it"
	case f.Admission == v1alpha1.AdmissionCouldNotSee:
		return "the object doesn't tell of the vendor, only what runs does"
	default:
		return ""
	}
}

func workload(w exposure.Workload) v1alpha1.ReportedWorkload {
	r := v1alpha1.ReportedWorkload{APIVersion: w.APIVersion, Kind: w.Kind, Name: w.Name, UID: string(w.UID)}
	if w.Cluster {
		r.Scope = "Cluster"
	}
	return r
}

func imageOf(k exposure.Key, written string, since time.Time, from v1alpha1.SinceFrom, imported bool) v1alpha1.ReportedImage {
	return v1alpha1.ReportedImage{
		Container: k.Container, Image: exposure.Shown(written), Restriction: k.Restriction, Since: metav1.NewTime(since), SinceFrom: from, Imported: imported,
	}
}
