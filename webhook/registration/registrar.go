package registration

import (
	"context"
	"fmt"
	"sync"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"embargo.dev/internal/trigger"
	"embargo.dev/policies"
	"embargo.dev/policies/prefilter"
	"embargo.dev/webhook/discovery"
	"embargo.dev/webhook/exemption"
)

// Options are the settings of a Registrar.
type Options struct {
	Endpoint           Endpoint
	Namespace          string // Embargo's own
	Installation       string // name of the ClusterRole with which the configuration goes
	TrustedControllers []string
	Version            string
	Clock              func() time.Time

	// Rules returns the rule set in force with what it was compiled from, nil while
	// none is.
	Rules func() (*policies.RuleSet, policies.Source)
	// CABundle returns the CA by which the API server knows the webhook, nil while
	// there is none.
	CABundle func() []byte
	// Resources returns those that may embed pod templates, beside the built-in
	// workloads; false while nobody has looked yet.
	Resources func() ([]discovery.Resource, bool)
	// TemplatesFailClosed refuses changes of those resources while Embargo is down.
	TemplatesFailClosed bool
	// Triggers tell that Rules, CABundle or Resources may have changed.
	Triggers []<-chan struct{}
}

// Registrar writes the ValidatingWebhookConfiguration and keeps it as it should be.
// It runs on the leader.
type Registrar struct {
	options Options
	client  client.Client
	live    client.Reader
	cache   cache.Cache

	// Only the loop touches these.
	leadingSince time.Time
	failingSince time.Time // zero while it doesn't
	logged       State     // outcome and reason, as last logged
	filter       filter
	exemptions   *exemption.Rules
	written      *admissionv1.ValidatingWebhookConfiguration // by this leader; nil before it has, and where it is to be gone
	holder       string                                      // the other installation that has, or had, the configuration
	absentSince  time.Time                                   // since when that one's is gone

	mu      sync.Mutex
	state   State
	changed trigger.Trigger
}

// filter is the prefilter of a rule set, kept because deriving one takes its time.
type filter struct {
	digest    string
	prefilter *prefilter.Prefilter
	err       error
}

// of returns the prefilter of the rules, or why there is none.
func (f *filter) of(rules *policies.RuleSet) (*prefilter.Prefilter, error) {
	if f.digest != rules.Digest() {
		f.digest = rules.Digest()
		f.prefilter, f.err = prefilter.New(rules)
	}
	return f.prefilter, f.err
}

// NewRegistrar returns a Registrar that writes with the client, reads live, and
// watches through the cache.
func NewRegistrar(c client.Client, live client.Reader, watches cache.Cache, o Options) *Registrar {
	return &Registrar{options: o, client: c, live: live, cache: watches, changed: trigger.New(), state: State{Outcome: Unknown, Reason: "the leader has not looked yet"}}
}

// NeedLeaderElection says that one replica writes.
func (r *Registrar) NeedLeaderElection() bool { return true }

const (
	resync     = time.Minute
	retryAfter = 2 * time.Second
	// applyTimeout bounds one round, so that an API server that says nothing doesn't
	// hold up the rounds after it.
	applyTimeout = 30 * time.Second
)

// Start keeps the configuration until the context ends.
func (r *Registrar) Start(ctx context.Context) error {
	wake := trigger.New()
	if err := r.watch(ctx, wake); err != nil {
		return err
	}
	wake.Follow(ctx, r.options.Triggers...)
	r.leadingSince = r.options.Clock()
	for {
		state, err := r.apply(ctx)
		r.report(ctx, state, err)
		pause := retryAfter
		if err == nil && state.Registered() {
			pause = r.untilNextRound()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-time.After(pause):
		}
	}
}

// untilNextRound is how long to wait without any cause: not beyond the expiry of a waiver.
// After that, nobody needs a right to enter it.
func (r *Registrar) untilNextRound() time.Duration {
	expiry := r.exemptions.NextExpiry()
	if expiry.IsZero() {
		return resync
	}
	return min(resync, max(0, expiry.Sub(r.options.Clock())))
}

// watch wakes the loop when the configuration is changed or deleted, and when Embargo's
// namespace changes.
func (r *Registrar) watch(ctx context.Context, wake trigger.Trigger) error {
	informer, err := r.cache.GetInformer(ctx, &admissionv1.ValidatingWebhookConfiguration{})
	if err != nil {
		return fmt.Errorf("watching the webhook configuration: %w", err)
	}
	if _, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { wake.Fire() },
		UpdateFunc: func(any, any) { wake.Fire() },
		DeleteFunc: func(any) { wake.Fire() },
	}); err != nil {
		return err
	}
	ns := &metav1.PartialObjectMetadata{}
	ns.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	if informer, err = r.cache.GetInformer(ctx, ns); err != nil {
		return fmt.Errorf("watching namespaces: %w", err)
	}
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{UpdateFunc: func(_, now any) {
		if o, ok := now.(client.Object); ok && o.GetName() == r.options.Namespace {
			wake.Fire()
		}
	}})
	return err
}

// apply brings the configuration up to date, with no write where it is.
func (r *Registrar) apply(ctx context.Context) (State, error) {
	ctx, cancel := context.WithTimeout(ctx, applyTimeout)
	defer cancel()
	rules, source := r.options.Rules()
	if rules == nil {
		return State{Outcome: Waiting, Reason: "no rule set is compiled yet"}, nil
	}
	state := State{RuleSet: rules.Digest()}
	filter, err := r.filter.of(rules)
	state.describe(filter, err)
	until, err := r.pausedUntil(ctx)
	setGauge(paused, !until.IsZero())
	if err != nil {
		return state, err
	}
	if !until.IsZero() {
		return state.after(Paused, describePause(until)), r.withdraw(ctx)
	}
	want, missing, err := r.desired(ctx)
	if err != nil || missing != "" {
		r.written = nil // where the installation is being removed, a configuration that goes needs no repair
		return state.after(Waiting, missing), err
	}
	r.exemptions = exemption.NewRules(source.Policies, source.Waivers, r.options.Clock())
	want.exemptions, want.prefilter = r.exemptions, filter
	outcome, reason, err := r.write(ctx, want.configuration())
	return state.after(outcome, reason), err
}

// desired gathers what the configuration depends on beside the rule set, or says what of it is
// missing. Without the installation's ClusterRole nothing is written: the installation is being
// removed, or has been.
func (r *Registrar) desired(ctx context.Context) (want *desired, missing string, err error) {
	bundle := r.options.CABundle()
	if len(bundle) == 0 {
		return nil, "there is no serving certificate yet", nil
	}
	if bundle, err = r.trusted(ctx, bundle); err != nil {
		return nil, "", err
	}
	var role rbacv1.ClusterRole
	err = r.live.Get(ctx, client.ObjectKey{Name: r.options.Installation}, &role)
	if apierrors.IsNotFound(err) || err == nil && role.DeletionTimestamp != nil {
		return nil, fmt.Sprintf("ClusterRole %q, which stands for the installation, isn't there", r.options.Installation), nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("reading ClusterRole %q: %w", r.options.Installation, err)
	}
	resources, looked := r.options.Resources()
	if !looked {
		return nil, "the schemas of custom resources haven't been read yet", nil
	}
	return &desired{
		resources: resources, closed: r.options.TemplatesFailClosed,
		endpoint: r.options.Endpoint, namespace: r.options.Namespace, trusted: r.options.TrustedControllers,
		caBundle: bundle, version: r.options.Version, owner: &owner{role.Name, role.UID},
	}, "", nil
}
