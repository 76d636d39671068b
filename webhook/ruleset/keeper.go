package ruleset

import (
	"context"
	"fmt"
	"maps"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	ctrlcache "sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/internal/trigger"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// Compiled is a rule set with what it was made from.
type Compiled struct {
	Rules    *policies.RuleSet
	Problems []policies.Problem
	Source   policies.Source
}

// Keeper keeps the rule set in force. It runs on every replica.
type Keeper struct {
	cache    ctrlcache.Cache
	compiled atomic.Pointer[Compiled]
	dirty    trigger.Trigger
	swapped  trigger.Broadcast
	moved    trigger.Broadcast
}

// NewKeeper returns a Keeper that reads from the cache once it is started.
func NewKeeper(c ctrlcache.Cache) *Keeper {
	return &Keeper{cache: c, dirty: trigger.New()}
}

// Rules returns the rule set in force, nil before the first is compiled.
func (k *Keeper) Rules() *policies.RuleSet {
	if c := k.compiled.Load(); c != nil {
		return c.Rules
	}
	return nil
}

// Compiled returns the rule set in force with its problems and sources, nil
// before the first is compiled.
func (k *Keeper) Compiled() *Compiled { return k.compiled.Load() }

// Follow returns a channel that receives after a rule set was swapped in. Several
// swaps in short order may be told as one.
func (k *Keeper) Follow() <-chan struct{} { return k.swapped.Follow() }

// FollowNamespaces returns a channel that receives after namespaces came, went or changed
// their labels.
func (k *Keeper) FollowNamespaces() <-chan struct{} { return k.moved.Follow() }

// NeedLeaderElection says that every replica compiles for itself.
func (k *Keeper) NeedLeaderElection() bool { return false }

// Start compiles the rule set, and again after every change, until the context
// ends.
func (k *Keeper) Start(ctx context.Context) error {
	if err := k.watch(ctx); err != nil {
		return err
	}
	if !k.cache.WaitForCacheSync(ctx) {
		return ctx.Err()
	}
	for {
		if err := k.compile(ctx); err != nil {
			return err
		}
		if !k.await(ctx) {
			return nil
		}
	}
}

// await waits for a change, and meanwhile keeps the metric of the next transition up to
// date; false where the context ends.
func (k *Keeper) await(ctx context.Context) bool {
	for {
		var passed <-chan time.Time // nil, for ever, where no transition is to come
		if next, ok := k.Rules().NextTransition(time.Now()); ok {
			passed = time.After(time.Until(next))
		}
		select {
		case <-ctx.Done():
			return false
		case <-k.dirty:
			return true
		case <-passed:
			recordTransition(k.Rules(), time.Now())
		}
	}
}

func (k *Keeper) watch(ctx context.Context) error {
	changed := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { k.dirty.Fire() },
		UpdateFunc: func(before, after any) { k.updated(before, after) },
		DeleteFunc: func(any) { k.dirty.Fire() },
	}
	for _, kind := range []client.Object{&v1alpha1.RestrictedVendor{}, &v1alpha1.VendorPolicy{}, &v1alpha1.VendorWaiver{}} {
		informer, err := k.informer(ctx, kind)
		if err != nil {
			return fmt.Errorf("watching %T: %w", kind, err)
		}
		if _, err := informer.AddEventHandler(changed); err != nil {
			return fmt.Errorf("watching %T: %w", kind, err)
		}
	}
	// Decisions need the labels of namespaces; ready means that they are there.
	informer, err := k.cache.GetInformer(ctx, namespaceMetadata())
	if err != nil {
		return fmt.Errorf("watching namespaces: %w", err)
	}
	_, err = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { k.moved.Fire() },
		UpdateFunc: func(before, after any) {
			old, ok := before.(client.Object)
			if now, ok2 := after.(client.Object); ok && ok2 && !maps.Equal(old.GetLabels(), now.GetLabels()) {
				k.moved.Fire()
			}
		},
		DeleteFunc: func(any) { k.moved.Fire() },
	})
	return err
}

// unservedRetry is the pause before a kind that the API server doesn't serve is asked for again.
const unservedRetry = 2 * time.Second

// informer returns the informer of one of Embargo's kinds. It waits for a kind that isn't
// served, as while the CustomResourceDefinitions are installed anew: a replica that ended
// instead would be started again with growing pauses, and come late.
func (k *Keeper) informer(ctx context.Context, kind client.Object) (ctrlcache.Informer, error) {
	for logged := false; ; {
		informer, err := k.cache.GetInformer(ctx, kind)
		if !meta.IsNoMatchError(err) {
			return informer, err
		}
		if !logged {
			logf.FromContext(ctx).Error(err, "the API server doesn't serve a kind of Embargo's; apply its CustomResourceDefinition", "kind", fmt.Sprintf("%T", kind))
			logged = true
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(unservedRetry):
		}
	}
}

func namespaceMetadata() client.Object {
	ns := &metav1.PartialObjectMetadata{}
	ns.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	return ns
}

// updated ignores changes of status, which bear on no decision.
func (k *Keeper) updated(before, after any) {
	old, ok := before.(client.Object)
	if now, ok2 := after.(client.Object); ok && ok2 && sameRules(old, now) {
		return
	}
	k.dirty.Fire()
}

func (k *Keeper) compile(ctx context.Context) error {
	source, err := k.read(ctx)
	if err != nil {
		return err
	}
	rules, problems := policies.Compile(source)
	if before := k.compiled.Swap(&Compiled{Rules: rules, Problems: problems, Source: source}); before == nil || before.Rules.Digest() != rules.Digest() {
		logf.FromContext(ctx).Info("rule set in force", "digest", rules.Digest(), "vendors", len(source.Vendors),
			"policies", len(source.Policies), "waivers", len(source.Waivers), "problems", len(problems))
	}
	record(rules, problems, time.Now())
	k.swapped.Fire()
	return nil
}

func (k *Keeper) read(ctx context.Context) (policies.Source, error) {
	var (
		vendors v1alpha1.RestrictedVendorList
		vp      v1alpha1.VendorPolicyList
		waivers v1alpha1.VendorWaiverList
	)
	for _, list := range []client.ObjectList{&vendors, &vp, &waivers} {
		if err := k.cache.List(ctx, list); err != nil {
			return policies.Source{}, fmt.Errorf("listing %T from the cache: %w", list, err)
		}
	}
	return policies.Source{Vendors: vendors.Items, Policies: vp.Items, Waivers: waivers.Items}, nil
}

// sameRules reports whether two versions of an object compile to the same. After a gap in
// a watch, one that was deleted and made again comes as a change of the one before, and
// both are of the first generation.
func sameRules(before, after client.Object) bool {
	return before.GetUID() == after.GetUID() && before.GetGeneration() == after.GetGeneration() && maps.Equal(before.GetLabels(), after.GetLabels())
}
