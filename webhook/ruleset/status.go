package ruleset

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/internal/trigger"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/webhook/registration"
)

const (
	// resync is how often statuses are looked over without any cause, so that
	// one that somebody else changed is mended.
	resync = 5 * time.Minute
	// retryAfter is the pause after a status couldn't be written.
	retryAfter = 5 * time.Second
	// staleAfter is the pause after the cache was behind what was written before.
	staleAfter = 250 * time.Millisecond
)

// errStale says that the cache is behind; it is no failure.
var errStale = errors.New("the cache is behind")

// StatusWriter writes what became of Embargo's objects into their status: on
// every new rule set and, by a timer, at every transition. It runs on the leader.
type StatusWriter struct {
	keeper        *Keeper
	client        client.Client
	clock         func() time.Time
	circumstances Circumstances
	triggers      []<-chan struct{}
}

// Circumstances are what statuses tell beside the rule set itself.
type Circumstances struct {
	// Registration says whether the API server calls the webhooks, and for which rule
	// set.
	Registration func() registration.State
	// Skew says whether this replica's clock is too far from the API server's, and how
	// far it is ahead.
	Skew func() (bool, time.Duration)
	// Resources are those that admission covers, nil while nobody has looked.
	Resources func() []string
	// Tally counts the audit's findings, nil while it hasn't.
	Tally func() *policies.Tally
}

// NewStatusWriter returns a StatusWriter for the keeper's rule sets; each trigger makes
// it look again.
func NewStatusWriter(keeper *Keeper, c client.Client, clock func() time.Time, circumstances Circumstances, triggers ...<-chan struct{}) *StatusWriter {
	return &StatusWriter{keeper: keeper, client: c, clock: clock, circumstances: circumstances,
		triggers: append(triggers, keeper.Follow(), keeper.FollowNamespaces())}
}

// NeedLeaderElection says that one replica writes.
func (w *StatusWriter) NeedLeaderElection() bool { return true }

// Start writes until the context ends.
func (w *StatusWriter) Start(ctx context.Context) error {
	wake := trigger.New()
	wake.Follow(ctx, w.triggers...)
	for {
		pause := w.write(ctx)
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// write brings every status up to date and returns how long to wait until the
// next look: to the next transition, where that comes first.
func (w *StatusWriter) write(ctx context.Context) time.Duration {
	compiled := w.keeper.Compiled()
	if compiled == nil {
		return retryAfter
	}
	if w.circumstances.Registration().Outcome == registration.Conflict {
		return resync // the other installation writes them; two that disagree would never end
	}
	now := w.clock()
	stale, err := w.writeAll(ctx, compiled, now)
	switch {
	case ctx.Err() != nil:
		return retryAfter // somebody else leads
	case err != nil:
		logf.FromContext(ctx).Error(err, "status can't be written; trying again", "in", retryAfter)
		return retryAfter
	case stale:
		return staleAfter
	}
	if next, ok := compiled.Rules.NextTransition(now); ok && next.Sub(now) < resync {
		return next.Sub(now)
	}
	return resync
}

// writeAll writes what has changed, and reports whether the cache was behind for some.
func (w *StatusWriter) writeAll(ctx context.Context, compiled *Compiled, now time.Time) (stale bool, err error) {
	namespaces, err := w.namespaces(ctx)
	if err != nil {
		return false, err
	}
	o := observation{compiled: compiled, now: now, namespaces: namespaces, resources: w.circumstances.Resources()}
	o.registration = w.circumstances.Registration()
	o.tally = w.circumstances.Tally()
	o.skewed, o.ahead = w.circumstances.Skew()
	var errs []error
	for i := range compiled.Source.Vendors {
		errs = append(errs, write(ctx, w.client, &compiled.Source.Vendors[i], &v1alpha1.RestrictedVendor{}, o.vendor))
	}
	for i := range compiled.Source.Policies {
		errs = append(errs, write(ctx, w.client, &compiled.Source.Policies[i], &v1alpha1.VendorPolicy{}, o.policy))
	}
	for i := range compiled.Source.Waivers {
		errs = append(errs, write(ctx, w.client, &compiled.Source.Waivers[i], &v1alpha1.VendorWaiver{}, o.waiver))
	}
	failed := slices.DeleteFunc(errs, func(err error) bool {
		behind := errors.Is(err, errStale)
		stale = stale || behind
		return behind
	})
	return stale, errors.Join(failed...)
}

// write observes one object and writes its status, unless that is as it was. The
// object is read again, since status changes don't make a new rule set; one whose
// spec has changed, or that went, comes back with the next rule set.
func write[T client.Object](ctx context.Context, c client.Client, compiled, current T, observe func(T)) error {
	err := c.Get(ctx, client.ObjectKeyFromObject(compiled), current)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if current.GetGeneration() != compiled.GetGeneration() {
		return nil
	}
	before := current.DeepCopyObject()
	observe(current)
	if equality.Semantic.DeepEqual(before, current) {
		return nil
	}
	err = c.Status().Update(ctx, current, client.FieldOwner(fieldManager))
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case apierrors.IsConflict(err):
		return errStale
	default:
		return err
	}
}

// fieldManager is the name under which the controller writes.
const fieldManager = "embargo"

// namespaces returns all namespaces, from the cache.
func (w *StatusWriter) namespaces(ctx context.Context) ([]policies.Namespace, error) {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("NamespaceList"))
	if err := w.client.List(ctx, list); err != nil {
		return nil, fmt.Errorf("listing namespaces: %w", err)
	}
	namespaces := make([]policies.Namespace, 0, len(list.Items))
	for i := range list.Items {
		namespaces = append(namespaces, policies.Namespace{Name: list.Items[i].Name, Labels: list.Items[i].Labels, Known: true})
	}
	return namespaces, nil
}
