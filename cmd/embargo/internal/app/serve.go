package app

import (
	"context"
	"fmt"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"embargo.dev/policies/workload"
	"embargo.dev/webhook"
	"embargo.dev/webhook/preview"
	"embargo.dev/webhook/registration"
)

func (c *controller) serve(ctx context.Context) error {
	clientset, err := kubernetes.NewForConfig(c.mgr.GetConfig())
	if err != nil {
		return err
	}
	self, err := clientset.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("asking the API server who this controller is: %w", err)
	}
	live, err := client.New(unthrottled(c.mgr.GetConfig()), client.Options{Scheme: c.mgr.GetScheme(), Mapper: c.mgr.GetRESTMapper(), HTTPClient: c.mgr.GetHTTPClient()})
	if err != nil {
		return err
	}
	server := c.mgr.GetWebhookServer()
	server.Register(registration.PathWorkloads, c.drain.partWith(webhook.Serve(&webhook.Workloads{
		Rules:              c.keeper.Rules,
		Clock:              time.Now,
		Cache:              c.mgr.GetCache(),
		Live:               c.limits.Reader(live),
		Covered:            func(kind schema.GroupKind) bool { return workload.Builtin(kind) || c.discovery.Covers(kind) },
		TrustedControllers: c.options.TrustedControllers,
	}, c.limits)))
	server.Register(registration.PathKinds, c.drain.partWith(webhook.Serve(&webhook.Kinds{
		Cache:   c.mgr.GetCache(),
		Self:    self.Status.UserInfo.Username,
		Clock:   time.Now,
		Preview: c.previewer(),
	}, c.limits)))
	server.Register(registration.PathImports, c.drain.partWith(webhook.Serve(&webhook.Imports{
		Live: c.limits.Reader(live), Self: self.Status.UserInfo.Username, Clock: time.Now,
	}, c.limits)))
	return nil
}

// unthrottled returns a configuration for what decisions wait for. They don't queue with the
// controller's other requests: a review has seconds, and a restart of some hundred Pods of a
// restricted image would end in reviews that decide nothing. The limits of the webhook
// bound them by source instead.
func unthrottled(config *rest.Config) *rest.Config {
	config = rest.CopyConfig(config)
	config.QPS = -1
	return config
}

// previewer answers from the audit where this replica audits.
func (c *controller) previewer() *preview.Previewer {
	p := preview.New(c.mgr.GetCache(), c.limits.Reader(c.mgr.GetAPIReader()), time.Now)
	p.Budget = c.limits.Preview
	if c.auditor == nil {
		return p
	}
	p.Audited = func(limit int) (found []preview.Workload, all, ok bool) {
		known, all, ok := c.auditor.Workloads(limit)
		for _, w := range known {
			found = append(found, preview.Workload(w))
		}
		return found, all, ok
	}
	return p
}
