package workloadreports

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// Setting says in which kinds reports are written.
type Setting string

// Settings there are.
const (
	Auto        Setting = "auto" // in what the cluster serves, OpenReports first
	OpenReports Setting = "openreports"
	WGPolicy    Setting = "wgpolicy"
	None        Setting = "none"
)

// Settings returns all settings.
func Settings() []Setting { return []Setting{Auto, OpenReports, WGPolicy, None} }

// api is kinds of reports that a cluster may serve.
type api struct {
	schema.GroupVersionResource

	kind    string
	setting Setting
}

var (
	openReports   = &api{schema.GroupVersionResource{Group: "openreports.io", Version: "v1alpha1", Resource: "reports"}, "Report", OpenReports}
	policyReports = &api{schema.GroupVersionResource{Group: "wgpolicyk8s.io", Version: "v1alpha2", Resource: "policyreports"}, "PolicyReport", WGPolicy}
)

// apis are those that are known, the preferred one first.
var apis = []*api{openReports, policyReports}

// choose returns the API to write, nil for none.
func choose(setting Setting, served []*api) *api {
	for _, a := range apis {
		if (setting == Auto || setting == a.setting) && slices.Contains(served, a) {
			return a
		}
	}
	return nil
}

// concerns reports whether a CustomResourceDefinition or an APIService of the name
// tells that one of the APIs comes or goes.
func concerns(name string) bool {
	return slices.ContainsFunc(apis, func(a *api) bool {
		return name == a.GroupResource().String() || name == a.Version+"."+a.Group
	})
}

// serves returns how the API server is asked whether it serves an API. Of kinds that are
// about to go nothing can be created any more.
func serves(client rest.Interface) func(context.Context, *api) (bool, error) {
	return func(ctx context.Context, a *api) (bool, error) {
		ctx, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		var list metav1.APIResourceList
		err := client.Get().AbsPath("/apis", a.Group, a.Version).Do(ctx).Into(&list)
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("asking for %s: %w", a.GroupVersion(), err)
		}
		return slices.ContainsFunc(list.APIResources, func(r metav1.APIResource) bool {
			return r.Name == a.Resource && slices.Contains(r.Verbs, "create")
		}), nil
	}
}
