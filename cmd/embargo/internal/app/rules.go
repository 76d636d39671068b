package app

import (
	"context"
	"errors"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"

	"embargo.dev/policies"
	"embargo.dev/webhook/discovery"
	"embargo.dev/webhook/registration"
	"embargo.dev/webhook/ruleset"
)

func (c *controller) rules(context.Context) error {
	c.keeper = ruleset.NewKeeper(c.mgr.GetCache())
	return c.mgr.Add(c.keeper)
}

func (c *controller) discover(context.Context) error {
	var err error
	if c.discovery, err = discovery.New(c.mgr.GetConfig(), c.mgr.GetCache()); err != nil {
		return err
	}
	return c.mgr.Add(c.discovery)
}

func (c *controller) register(context.Context) error {
	o := c.options
	endpoint := registration.Endpoint{URL: o.Webhook.URL, Namespace: o.Namespace, Service: o.Webhook.Service.Name, Port: o.Webhook.Service.Port}
	c.registrar = registration.NewRegistrar(c.mgr.GetClient(), c.mgr.GetAPIReader(), c.mgr.GetCache(), registration.Options{
		Endpoint:           endpoint,
		Namespace:          o.Namespace,
		Installation:       o.Installation,
		TrustedControllers: o.TrustedControllers,
		Version:            Version(),
		Clock:              time.Now,
		Rules: func() (*policies.RuleSet, policies.Source) {
			compiled := c.keeper.Compiled()
			if compiled == nil {
				return nil, policies.Source{}
			}
			return compiled.Rules, compiled.Source
		},
		CABundle:            c.certificates.CABundle,
		Resources:           c.discovery.Resources,
		TemplatesFailClosed: o.Webhook.TemplatesFailurePolicy == string(admissionv1.Fail),
		Triggers:            []<-chan struct{}{c.keeper.Follow(), c.certificates.Changed(), c.discovery.Follow()},
	})
	status := ruleset.NewStatusWriter(c.keeper, c.mgr.GetClient(), time.Now, ruleset.Circumstances{
		Resources: func() []string {
			found, looked := c.discovery.Resources()
			if !looked {
				return nil
			}
			return registration.Resources(found)
		},
		Registration: c.registrar.State,
		Skew:         func() (bool, time.Duration) { return c.skew.Skewed(), c.skew.Ahead() },
		Tally:        c.tally,
	}, c.registrar.Changed(), c.skewed, c.discovery.Follow(), c.tallied())
	c.presenter = &registration.Presenter{
		Client: c.mgr.GetClient(), Live: c.mgr.GetAPIReader(), CABundle: c.certificates.CABundle, Changed: c.certificates.Changed(),
		Installation: o.Installation, Endpoint: endpoint,
	}
	return errors.Join(c.mgr.Add(c.registrar), c.mgr.Add(c.presenter), c.mgr.Add(status))
}
