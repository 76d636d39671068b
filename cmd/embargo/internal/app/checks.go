package app

import (
	"context"
	"errors"
	"net/http"

	"sigs.k8s.io/controller-runtime/pkg/healthz"
)

var (
	errNoRuleSet   = errors.New("no rule set is compiled yet")
	errNoResources = errors.New("the schemas of custom resources haven't been looked at yet")
)

// checks adds /healthz and /readyz: ready is a replica that can answer.
func (c *controller) checks(context.Context) error {
	return errors.Join(
		c.mgr.AddHealthzCheck("ping", healthz.Ping),
		c.mgr.AddReadyzCheck("rule-set", func(*http.Request) error {
			if c.keeper.Rules() == nil {
				return errNoRuleSet
			}
			return nil
		}),
		// Without them the owners of some kinds would seem to carry nothing.
		c.mgr.AddReadyzCheck("resources", func(*http.Request) error {
			if _, looked := c.discovery.Resources(); !looked {
				return errNoResources
			}
			return nil
		}),
		c.mgr.AddReadyzCheck("certificate", c.certificates.Check),
		c.mgr.AddReadyzCheck("presented", c.presenter.Check),
		c.mgr.AddReadyzCheck("webhook", c.mgr.GetWebhookServer().StartedChecker()),
		c.mgr.AddReadyzCheck("draining", c.drain.check),
	)
}
