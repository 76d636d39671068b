package app

import (
	"context"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"

	"embargo.dev/audit"
	"embargo.dev/cmd/embargo/internal/options"
	"embargo.dev/internal/trigger"
	"embargo.dev/webhook/discovery"
	"embargo.dev/webhook/limits"
	"embargo.dev/webhook/registration"
	"embargo.dev/webhook/ruleset"
	"embargo.dev/webhook/skew"
)

// controller is everything that runs, put together once.
type controller struct {
	options      *options.Options
	mgr          ctrl.Manager
	certificates certificateSource
	keeper       *ruleset.Keeper
	discovery    *discovery.Discovery
	registrar    *registration.Registrar
	presenter    *registration.Presenter
	auditor      *audit.Auditor // nil where the audit is off
	skew         *skew.Meter
	skewed       trigger.Trigger // told to whoever writes conditions
	drain        drain
	limits       *limits.Limits // of the webhook
}

// webhookLimits returns the limits of the webhook's callers.
func webhookLimits(o *options.Options) *limits.Limits {
	if o.Webhook.ClientCA != "" && len(o.Webhook.ClientSubjects) > 0 {
		return limits.New().Unpaced() // only API servers get in; a CA alone may be the cluster's, of all its nodes
	}
	return limits.New()
}

// run runs the controller until the context ends, and a drain period longer.
func run(ctx context.Context, o *options.Options) error {
	ctrl.SetLogger(newLogger(o.Logging))
	ctrl.Log.Info("starting", "version", Version())
	setMemoryLimit(ctrl.Log)
	c := &controller{options: o, limits: webhookLimits(o), skew: skew.NewMeter(time.Now), skewed: trigger.New()}
	for _, step := range []func(context.Context) error{c.manager, c.certify, c.rules, c.discover, c.audit, c.register, c.serve, c.install, c.checks} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return c.mgr.Start(c.drain.start(ctx, o.DrainPeriod.Duration))
}
