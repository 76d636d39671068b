package reports

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"embargo.dev/policies/v1alpha1"
)

// Page takes reports that are in the cluster: to remember by, where nothing is
// remembered yet, and to be mended, where they are other than they should be.
func (r *Reports) Page(objects []runtime.Object, listing uint32) {
	for _, o := range objects {
		if report, ok := o.(*v1alpha1.VendorReport); ok {
			r.observe(report, listing)
		}
	}
}

// Listed forgets reports that are no longer there, and has those written that should be:
// their kind may have gone and come again.
func (r *Reports) Listed(listing uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, s := range r.seen {
		if s.listing != listing {
			delete(r.seen, key)
		}
	}
	for key := range r.want {
		if _, there := r.seen[key]; !there {
			r.queue.Add(key)
		}
	}
}

// Change takes a report that was written or deleted by whomever. It returns true where the
// report was imported, so that its namespace is to be looked at.
func (r *Reports) Change(kind watch.EventType, o runtime.Object) bool {
	report, ok := o.(*v1alpha1.VendorReport)
	if !ok {
		return false
	}
	if kind != watch.Deleted {
		return r.observe(report, 0)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	key := client.ObjectKeyFromObject(report)
	delete(r.seen, key)
	if r.want[key] != nil {
		r.queue.Add(key)
	}
	return false
}

// observe returns true where the report was imported.
func (r *Reports) observe(report *v1alpha1.VendorReport, listing uint32) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := client.ObjectKeyFromObject(report)
	if listing == 0 {
		listing = r.seen[key].listing
	}
	r.seen[key] = seen{version: report.ResourceVersion, content: fingerprint(report), uid: report.UID, listing: listing}
	want := r.want[key]
	other := want != nil && want.content != r.seen[key].content
	if other || nameOf(report.Vendor) != report.Name {
		r.queue.Add(key)
	}
	switch {
	case nameOf(report.Vendor) != report.Name, want != nil && !other:
		return false
	case r.isImported(report):
		return r.remember(report.Namespace, report.Vendor).importReport(report)
	case want == nil && r.memory[report.Namespace][report.Vendor] == nil:
		*r.remember(report.Namespace, report.Vendor) = *remembered(report)
	}
	return false
}
