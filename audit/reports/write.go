package reports

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/policies/v1alpha1"
)

// Write brings the reports of the cluster to what they should be, until the context
// ends.
func (r *Reports) Write(ctx context.Context) {
	r.queue.Run(ctx, r.bring, func(key types.NamespacedName, err error) {
		r.mu.Lock()
		r.counts.Failed++
		r.mu.Unlock()
		logf.FromContext(ctx).Info("a report can't be written; trying again", "report", key.String(), "error", err.Error())
	})
}

// bring writes one report, where it is other than it should be.
func (r *Reports) bring(ctx context.Context, key types.NamespacedName) error {
	r.mu.Lock()
	want, there := r.want[key], r.seen[key]
	r.mu.Unlock()
	switch {
	case want == nil && there.version == "":
		return nil
	case want == nil:
		return r.remove(ctx, key, there)
	case there.version == "":
		return r.create(ctx, key, want)
	case there.content == want.content:
		return nil
	default:
		return r.update(ctx, key, want, there)
	}
}

func (r *Reports) create(ctx context.Context, key types.NamespacedName, want *wanted) error {
	report := want.report.DeepCopy()
	err := r.client.Create(ctx, report, client.FieldOwner(FieldManager))
	switch {
	case apierrors.IsAlreadyExists(err):
		return r.lookAgain(ctx, key, err)
	case apierrors.IsNotFound(err), apierrors.HasStatusCause(err, "NamespaceTerminating"):
		return nil // the namespace goes, and the report with it
	case err != nil:
		return fmt.Errorf("creating it: %w", err)
	}
	r.written(key, report, func(c *Counts) { c.Created++ })
	return nil
}

func (r *Reports) update(ctx context.Context, key types.NamespacedName, want *wanted, there seen) error {
	report := want.report.DeepCopy()
	report.ResourceVersion, report.UID = there.version, there.uid
	err := r.client.Update(ctx, report, client.FieldOwner(FieldManager))
	switch {
	case apierrors.IsConflict(err), apierrors.IsNotFound(err):
		return r.lookAgain(ctx, key, err)
	case err != nil:
		return fmt.Errorf("updating it: %w", err)
	}
	r.written(key, report, func(c *Counts) { c.Updated++ })
	return nil
}

func (r *Reports) remove(ctx context.Context, key types.NamespacedName, there seen) error {
	report := &v1alpha1.VendorReport{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	err := r.client.Delete(ctx, report, client.Preconditions{UID: new(there.uid)})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting it: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.seen, key)
	r.counts.Deleted++
	return nil
}

// written takes note of what stands in the cluster now.
func (r *Reports) written(key types.NamespacedName, report *v1alpha1.VendorReport, count func(*Counts)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen[key] = seen{version: report.ResourceVersion, content: fingerprint(report), uid: report.UID, listing: r.seen[key].listing}
	r.queue.Wrote(key)
	count(&r.counts)
}

// lookAgain reads a report that is other than it was last seen, and has it written again
// where that is needed.
func (r *Reports) lookAgain(ctx context.Context, key types.NamespacedName, cause error) error {
	var report v1alpha1.VendorReport
	err := r.client.Get(ctx, key, &report)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case apierrors.IsNotFound(err):
		delete(r.seen, key)
	case err != nil:
		return fmt.Errorf("reading it after %w: %w", cause, err)
	default:
		r.seen[key] = seen{version: report.ResourceVersion, content: fingerprint(&report), uid: report.UID, listing: r.seen[key].listing}
	}
	r.queue.Add(key)
	return nil
}
