package reports

import (
	"encoding/json"
	"hash/fnv"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"embargo.dev/audit/exposure"
	"embargo.dev/audit/pacing"
	"embargo.dev/policies/v1alpha1"
)

// FieldManager is the name under which reports are written.
const FieldManager = "embargo"

// Reports are all VendorReports: as they should be, and as they were last seen.
type Reports struct {
	client client.Client
	// vendor returns the UID of a RestrictedVendor; "" where there is none.
	vendor func(name string) types.UID
	// namespace returns the UID of a namespace; "" where nobody knows it.
	namespace func(name string) types.UID
	queue     *pacing.Queue

	mu     sync.Mutex
	memory map[string]map[string]*memories // by namespace and vendor
	want   map[types.NamespacedName]*wanted
	seen   map[types.NamespacedName]seen
	counts Counts
}

// wanted is a report as it should be.
type wanted struct {
	report  *v1alpha1.VendorReport
	content uint64 // but for when it was evaluated
}

// seen is a report as it was last seen in the cluster.
type seen struct {
	version string
	content uint64
	uid     types.UID
	listing uint32
}

// Counts are what was written so far.
type Counts struct{ Created, Updated, Deleted, Failed int }

// New returns Reports that are written by the client.
func New(c client.Client, vendor, namespace func(name string) types.UID) *Reports {
	return &Reports{
		client: c, vendor: vendor, namespace: namespace, queue: pacing.New(),
		memory: map[string]map[string]*memories{}, want: map[types.NamespacedName]*wanted{},
		seen: map[types.NamespacedName]seen{},
	}
}

// Counts returns what was written so far.
func (r *Reports) Counts() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts
}

// Recall returns how memories of a namespace's findings are looked up.
func (r *Reports) Recall(namespace string) exposure.Recall {
	r.mu.Lock()
	defer r.mu.Unlock()
	there := r.memory[namespace]
	return func(key exposure.Key, w exposure.Workload) (exposure.Memory, bool) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if m := there[key.Vendor]; m != nil {
			return m.recall(key, w)
		}
		return exposure.Memory{}, false
	}
}

// Namespaces are those of which anything is remembered.
func (r *Reports) Namespaces() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := make([]string, 0, len(r.memory))
	for name := range r.memory {
		names = append(names, name)
	}
	return names
}

// Publish takes all that was found in a namespace.
func (r *Reports) Publish(look exposure.Look) {
	r.mu.Lock()
	defer r.mu.Unlock()
	parts := byVendor(look.Findings)
	for _, vendor := range vendorsIn(parts, r.memory[look.Namespace]) {
		m := r.remember(look.Namespace, vendor)
		if vendor != "" && r.vendor(vendor) == "" {
			if !m.waits(look.Now) { // the vendor may be restored after the report
				r.drop(look.Namespace, vendor)
			}
			continue
		}
		m.update(parts[vendor], &look)
		if len(m.findings) == 0 && len(m.resolved) == 0 && !m.waits(look.Now) {
			r.drop(look.Namespace, vendor)
			continue
		}
		r.set(build(look.Namespace, vendor, look.RuleSet, parts[vendor], m), look.Now)
	}
}

func (r *Reports) remember(namespace, vendor string) *memories {
	if r.memory[namespace] == nil {
		r.memory[namespace] = map[string]*memories{}
	}
	m := r.memory[namespace][vendor]
	if m == nil {
		m = &memories{}
		r.memory[namespace][vendor] = m
	}
	return m
}

// set makes a report what is wanted. One with the content of the one before keeps that
// one's instant, and is the same. Where the namespace's UID isn't known yet, or not any more,
// nothing is written: a report without it would later look like one from a backup.
func (r *Reports) set(report *v1alpha1.VendorReport, now time.Time) {
	report.NamespaceUID = string(r.namespace(report.Namespace))
	if report.NamespaceUID == "" {
		return
	}
	key := client.ObjectKeyFromObject(report)
	content := fingerprint(report)
	if before := r.want[key]; before != nil && before.content == content {
		return
	}
	report.EvaluatedAt = metav1.NewTime(now.Truncate(time.Second))
	r.want[key] = &wanted{report: report, content: content}
	if r.seen[key].content != content {
		r.queue.Add(key)
	}
}

// drop forgets a vendor in a namespace, and has the report on it deleted.
func (r *Reports) drop(namespace, vendor string) {
	delete(r.memory[namespace], vendor)
	if len(r.memory[namespace]) == 0 {
		delete(r.memory, namespace)
	}
	key := types.NamespacedName{Namespace: namespace, Name: nameOf(vendor)}
	delete(r.want, key)
	if _, there := r.seen[key]; there {
		r.queue.Add(key)
	}
}

// Forget forgets a namespace that is gone, and its reports with it.
func (r *Reports) Forget(namespace string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for vendor := range r.memory[namespace] {
		key := types.NamespacedName{Namespace: namespace, Name: nameOf(vendor)}
		delete(r.want, key)
	}
	delete(r.memory, namespace)
}

// fingerprint tells contents apart, but for when they were evaluated.
func fingerprint(report *v1alpha1.VendorReport) uint64 {
	hash := fnv.New64a()
	// The type marshals to JSON whatever it holds, and a hash takes whatever is
	// written to it.
	_ = json.NewEncoder(hash).Encode([]any{
		report.Vendor, report.NamespaceUID, report.Imported, report.RuleSet, report.Summary, report.Findings, report.Resolved,
		report.OwnerReferences, report.Annotations[unlistedAnnotation],
	})
	return hash.Sum64()
}
