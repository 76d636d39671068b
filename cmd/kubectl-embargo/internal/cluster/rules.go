package cluster

import (
	"context"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// page is how many objects are asked for at once.
const page = 500

// Vendors reads the restricted list.
func (c *Cluster) Vendors(ctx context.Context) ([]v1alpha1.RestrictedVendor, error) {
	var vendors []v1alpha1.RestrictedVendor
	list := &v1alpha1.RestrictedVendorList{}
	err := c.each(ctx, list, "RestrictedVendors", func() { vendors = append(vendors, list.Items...) })
	return vendors, err
}

// Policies reads the policies.
func (c *Cluster) Policies(ctx context.Context) ([]v1alpha1.VendorPolicy, error) {
	var found []v1alpha1.VendorPolicy
	list := &v1alpha1.VendorPolicyList{}
	err := c.each(ctx, list, "VendorPolicies", func() { found = append(found, list.Items...) })
	return found, err
}

// Waivers reads the waivers.
func (c *Cluster) Waivers(ctx context.Context) ([]v1alpha1.VendorWaiver, error) {
	var waivers []v1alpha1.VendorWaiver
	list := &v1alpha1.VendorWaiverList{}
	err := c.each(ctx, list, "VendorWaivers", func() { waivers = append(waivers, list.Items...) })
	return waivers, err
}

// Rules reads everything that the cluster's rule set is made from.
func (c *Cluster) Rules(ctx context.Context) (policies.Source, error) {
	vendors, err := c.Vendors(ctx)
	if err != nil {
		return policies.Source{}, err
	}
	found, err := c.Policies(ctx)
	if err != nil {
		return policies.Source{}, err
	}
	waivers, err := c.Waivers(ctx)
	return policies.Source{Vendors: vendors, Policies: found, Waivers: waivers}, err
}

// each reads a list page by page.
func (c *Cluster) each(ctx context.Context, list client.ObjectList, what string, visit func()) error {
	for {
		if err := c.Reader.List(ctx, list, client.Limit(page), client.Continue(list.GetContinue())); err != nil {
			return c.Unread(what, err)
		}
		visit()
		if list.GetContinue() == "" {
			return nil
		}
	}
}

// Covered returns the resources that admission covers, as RESOURCE.GROUP, which the
// controller writes into every policy's status.
func (c *Cluster) Covered(ctx context.Context) ([]string, error) {
	found, err := c.Policies(ctx)
	if err != nil {
		return nil, err
	}
	var resources []string
	for i := range found {
		resources = append(resources, found[i].Status.Resources...)
	}
	slices.Sort(resources)
	return slices.Compact(resources), nil
}
