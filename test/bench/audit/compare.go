package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"embargo.dev/audit"
	"embargo.dev/policies"
	"embargo.dev/policies/catalog"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/test/controlplane"
)

// rounds is how often both are measured, in turns, so that whatever else the machine does
// slows both down. Of each the least counts.
const rounds = 5

// compare measures a bare paged list of the Pods and a full audit: all kinds listed, and
// everything decided.
func compare(ctx context.Context, plane *controlplane.ControlPlane, client *kubernetes.Clientset) error {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return err
	}
	namespaces, err := cache.New(plane.Config(), cache.Options{Scheme: scheme})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go namespaces.Start(ctx) //nolint:errcheck // it ends with the context
	var leastList, leastAudit time.Duration
	for range rounds {
		took, err := list(ctx, client)
		if err != nil {
			return err
		}
		leastList = least(leastList, took)
		if took, err = auditOnce(ctx, plane, scheme, namespaces); err != nil {
			return err
		}
		leastAudit = least(leastAudit, took)
	}
	fmt.Printf("bare paged list of the Pods      %8.2f s\n", leastList.Seconds())
	fmt.Printf("full audit                       %8.2f s   %.2f times the list\n", leastAudit.Seconds(), leastAudit.Seconds()/leastList.Seconds())
	return nil
}

func least(a, b time.Duration) time.Duration {
	if a == 0 {
		return b
	}
	return min(a, b)
}

// list lists all Pods page by page, as a bare client would, and returns how long it took.
func list(ctx context.Context, client *kubernetes.Clientset) (time.Duration, error) {
	began := time.Now()
	options := metav1.ListOptions{Limit: 500}
	for {
		pods, err := client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, options)
		if err != nil {
			return 0, err
		}
		if options.Continue = pods.Continue; options.Continue == "" {
			return time.Since(began), nil
		}
	}
}

// auditOnce audits the cluster from nothing, and returns how long it took until
// everything was decided.
func auditOnce(ctx context.Context, plane *controlplane.ControlPlane, scheme *runtime.Scheme, namespaces cache.Cache) (time.Duration, error) {
	vendors, err := catalog.Vendors()
	if err != nil {
		return 0, err
	}
	rules, problems := policies.Compile(policies.Source{Vendors: vendors, Policies: []v1alpha1.VendorPolicy{catalog.DefaultPolicy()}})
	if len(problems) > 0 {
		return 0, problems[0]
	}
	auditor, err := audit.New(audit.Options{
		Config: plane.Config(), Scheme: scheme, Namespaces: namespaces, Home: "embargo-system", Clock: time.Now,
		Rules:     func() *policies.RuleSet { return rules },
		Vendor:    func(name string) types.UID { return types.UID(name) },
		Resources: func() ([]audit.Resource, bool) { return nil, true },
	})
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	failed := make(chan error, 1)
	began := time.Now()
	running.Go(func() { failed <- auditor.Start(ctx) })
	select {
	case err := <-failed:
		return 0, errors.Join(err, ctx.Err())
	case <-auditor.Changed():
		return time.Since(began), nil
	}
}
