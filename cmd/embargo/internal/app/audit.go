package app

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	kubeversion "k8s.io/apimachinery/pkg/version"

	"embargo.dev/audit"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// audit adds the audit, which runs on the leader.
func (c *controller) audit(context.Context) error {
	if c.options.Audit.Disabled {
		return nil
	}
	var err error
	c.auditor, err = audit.New(audit.Options{
		Config: c.mgr.GetConfig(), Scheme: c.mgr.GetScheme(),
		Namespaces: c.mgr.GetCache(), Home: c.options.Namespace, Clock: time.Now,
		Rules: c.keeper.Rules, Vendor: c.vendorUID, Granted: c.waiverGranted, Resources: c.auditedResources,
		ReportAPI:    c.options.ReportAPI,
		RulesChanged: c.keeper.Follow(), ResourcesChanged: c.discovery.Follow(),
	})
	if err != nil {
		return err
	}
	return c.mgr.Add(c.auditor)
}

// vendorUID returns the UID of a RestrictedVendor in force, "" where there is none.
func (c *controller) vendorUID(name string) types.UID {
	compiled := c.keeper.Compiled()
	if compiled == nil {
		return ""
	}
	i := slices.IndexFunc(compiled.Source.Vendors, func(v v1alpha1.RestrictedVendor) bool { return v.Name == name })
	if i < 0 {
		return ""
	}
	return compiled.Source.Vendors[i].UID
}

// waiverGranted returns when a VendorWaiver in force was written, zero where there is none.
func (c *controller) waiverGranted(name string) time.Time {
	compiled := c.keeper.Compiled()
	if compiled == nil {
		return time.Time{}
	}
	i := slices.IndexFunc(compiled.Source.Waivers, func(w v1alpha1.VendorWaiver) bool { return w.Name == name })
	if i < 0 {
		return time.Time{}
	}
	return compiled.Source.Waivers[i].CreationTimestamp.Time
}

// auditedResources are the discovered ones, each in the latest of its versions.
func (c *controller) auditedResources() ([]audit.Resource, bool) {
	found, known := c.discovery.Resources()
	resources := make([]audit.Resource, 0, len(found))
	for _, r := range found {
		latest := slices.MaxFunc(r.Versions, kubeversion.CompareKubeAwareVersionStrings)
		resources = append(resources, audit.Resource{
			Kind: schema.GroupVersionKind{Group: r.Group, Version: latest, Kind: r.Kind}, Resource: r.Resource,
		})
	}
	return resources, known
}

// tally returns what the audit counted, nil where it hasn't or doesn't.
func (c *controller) tally() *policies.Tally {
	if c.auditor == nil {
		return nil
	}
	return c.auditor.Tally()
}

// tallied receives after the audit's counts changed.
func (c *controller) tallied() <-chan struct{} {
	if c.auditor == nil {
		return nil
	}
	return c.auditor.Changed()
}
