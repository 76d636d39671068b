package registration

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	ac "k8s.io/client-go/applyconfigurations/admissionregistration/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

var errNotPresented = errors.New("the API server is not told of the CA of this replica's certificate yet")

// Presenter makes the CA of its replica's certificate known to the API server. The leader
// writes the configuration by what it has seen itself, and may see a new CA a minute after
// this replica: kubelets show a changed Secret when they come to it. A replica that serves
// what an unknown CA signed would fail every request that it gets.
type Presenter struct {
	Client   client.Client
	Live     client.Reader
	CABundle func() []byte
	Changed  <-chan struct{} // receives after CABundle changed

	// Installation and Endpoint tell this installation's configuration from another's.
	Installation string
	Endpoint     Endpoint

	presented atomic.Bool
}

// NeedLeaderElection says that every replica presents its own.
func (p *Presenter) NeedLeaderElection() bool { return false }

// Check is a readiness check: a replica is not to be called before it would be believed.
func (p *Presenter) Check(*http.Request) error {
	if p.presented.Load() {
		return nil
	}
	return errNotPresented
}

// Start presents the CA, and every other one that comes, until the context ends.
func (p *Presenter) Start(ctx context.Context) error {
	for {
		pause := resync
		if bundle := p.CABundle(); len(bundle) > 0 {
			if err := p.present(ctx, bundle); err != nil {
				logf.FromContext(ctx).Error(err, "the CA can't be presented yet; trying again")
				pause = retryAfter
			} else {
				p.presented.Store(true)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-p.Changed:
		case <-time.After(pause):
		}
	}
}

// present adds CAs to the bundles of the configuration, where that is there and lacks them. It
// applies what the leader has applied, so that both stay one field manager, and only if
// nobody has written meanwhile. The leader keeps what it finds.
func (p *Presenter) present(ctx context.Context, bundle []byte) error {
	var current admissionv1.ValidatingWebhookConfiguration
	if err := p.Live.Get(ctx, client.ObjectKey{Name: Name}, &current); err != nil {
		return client.IgnoreNotFound(err)
	}
	if _, held := heldByOther(&current, p.Installation, p.Endpoint); held {
		return nil
	}
	configuration, err := ac.ExtractValidatingWebhookConfiguration(&current, FieldManager)
	if err != nil {
		return fmt.Errorf("reading what was applied: %w", err)
	}
	if !addCAs(configuration.Webhooks, bundle, time.Now()) {
		return nil
	}
	configuration.WithResourceVersion(current.ResourceVersion)
	if err := p.Client.Apply(ctx, configuration, client.FieldOwner(FieldManager), client.ForceOwnership); err != nil {
		return err
	}
	logf.FromContext(ctx).Info("CA presented", "configuration", Name)
	return propagate(ctx)
}

// addCAs puts CAs before those of each entry that lacks some, and reports whether any did.
func addCAs(entries []ac.ValidatingWebhookApplyConfiguration, bundle []byte, now time.Time) (changed bool) {
	for i := range entries {
		endpoint := entries[i].ClientConfig
		if endpoint != nil && len(lacking(endpoint.CABundle, bundle, now, 1)) > 0 {
			endpoint.CABundle = withOthers(bundle, endpoint.CABundle, now)
			changed = true
		}
	}
	return changed
}
