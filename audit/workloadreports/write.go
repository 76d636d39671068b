package workloadreports

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// Write brings reports to what they should be, until the context ends.
func (w *Writer) Write(ctx context.Context) {
	w.queue.Run(ctx, w.bring, func(key types.NamespacedName, err error) {
		w.count(func(c *Counts) { c.Failed++ })
		logf.FromContext(ctx).Info("a report on a workload can't be written; trying again", "report", key.String(), "error", err.Error())
	})
}

func (w *Writer) count(count func(*Counts)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	count(&w.counts)
}

// bring writes or deletes a report, where it is other than it should be.
func (w *Writer) bring(ctx context.Context, key types.NamespacedName) error {
	w.switching.RLock()
	defer w.switching.RUnlock()
	w.mu.Lock()
	a, p := w.api, w.places[key.Namespace]
	var (
		want  *wanted
		last  seen
		known bool
	)
	if p != nil {
		want = p.want[key.Name]
		last, known = p.seen[key.Name]
	}
	w.mu.Unlock()
	switch {
	case a == nil, want == nil && !known, want != nil && known && last.content == want.content:
		return nil
	case want != nil:
		return w.apply(ctx, a, key, want)
	}
	if err := w.delete(ctx, a, key); err != nil {
		return err
	}
	w.note(key, func(p *place) { delete(p.seen, key.Name) })
	return nil
}

// apply writes a report. What others wrote into it is theirs, but for what Embargo says.
func (w *Writer) apply(ctx context.Context, a *api, key types.NamespacedName, want *wanted) error {
	object, err := a.object(w.build(key.Namespace, want.findings))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	_, err = w.client.Resource(a.GroupVersionResource).Namespace(key.Namespace).Apply(ctx, key.Name, object, metav1.ApplyOptions{FieldManager: source, Force: true})
	switch {
	case apierrors.IsNotFound(err), apierrors.HasStatusCause(err, "NamespaceTerminating"):
		return nil // the namespace or the kind goes, and the report with it
	case err != nil:
		return fmt.Errorf("applying it: %w", err)
	}
	w.queue.Wrote(key)
	w.note(key, func(p *place) {
		p.seen[key.Name] = seen{content: want.content, workload: want.findings[0].Workload.GroupKind()}
		w.counts.Applied++
	})
	return nil
}

// note takes note of what stands in the cluster now, unless the namespace went. What is
// wanted may be something else by now.
func (w *Writer) note(key types.NamespacedName, take func(*place)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p := w.places[key.Namespace]; p != nil {
		take(p)
		w.compare(key.Namespace, key.Name, p)
		w.prune(key.Namespace)
	}
}

func (w *Writer) delete(ctx context.Context, a *api, key types.NamespacedName) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	err := w.client.Resource(a.GroupVersionResource).Namespace(key.Namespace).Delete(ctx, key.Name, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil // it went with its workload, its namespace or its kind
	}
	if err != nil {
		return fmt.Errorf("deleting report %s: %w", key, err)
	}
	w.count(func(c *Counts) { c.Deleted++ })
	return nil
}
