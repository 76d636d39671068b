package app

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"embargo.dev/webhook/builtin"
	"embargo.dev/webhook/declared"
	"embargo.dev/webhook/installation"
)

func (c *controller) install(context.Context) error {
	live, err := client.New(c.mgr.GetConfig(), client.Options{Scheme: c.mgr.GetScheme(), Mapper: c.mgr.GetRESTMapper(), HTTPClient: c.mgr.GetHTTPClient()})
	if err != nil {
		return err
	}
	clientset, err := kubernetes.NewForConfig(c.mgr.GetConfig())
	if err != nil {
		return err
	}
	o := c.options
	return errors.Join(
		c.mgr.Add(&builtin.Installer{
			Client:        live,
			Vendors:       o.Catalog.Vendors,
			DefaultPolicy: o.Catalog.DefaultPolicy,
			Marker:        builtin.Marker{Client: live, Namespace: o.Namespace, Name: o.Installation + "-state", Owner: o.Installation},
			Recorder:      c.mgr.GetEventRecorder("embargo"),
			Triggers:      []<-chan struct{}{c.keeper.Follow()},
		}),
		c.mgr.Add(&declared.Keeper{
			Client:    live,
			Core:      clientset.CoreV1().RESTClient(),
			ConfigMap: types.NamespacedName{Namespace: o.Namespace, Name: o.Declared.ConfigMap},
			Recorder:  c.mgr.GetEventRecorder("embargo"),
			Triggers:  []<-chan struct{}{c.keeper.Follow()},
		}),
		c.ownLease(live),
	)
}

func (c *controller) ownLease(live client.Client) error {
	if c.options.LeaderElection.Disabled {
		return nil
	}
	name := types.NamespacedName{Namespace: c.options.Namespace, Name: c.options.LeaderElection.Name}
	return c.mgr.Add(&installation.Lease{Client: live, Name: name, Owner: c.options.Installation})
}
