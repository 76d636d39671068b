package discovery

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"embargo.dev/policies/workload"
)

// apiService is as much of an APIService as is looked at.
type apiService struct {
	Spec struct {
		Group   string    `json:"group"`
		Version string    `json:"version"`
		Service *struct{} `json:"service"` // nil for what the API server serves itself
	} `json:"spec"`
}

// maxDocument bounds the OpenAPI document of a group and version. Kubernetes' own
// largest has 2 MB.
const maxDocument = 32 << 20

// openAPI is as much of an OpenAPI v3 document as is looked at.
type openAPI struct {
	Components struct {
		Schemas map[string]*kindSchema `json:"schemas"`
	} `json:"components"`
}

type kindSchema struct {
	workload.Schema

	Kinds []metav1.GroupVersionKind `json:"x-kubernetes-group-version-kind"`
}

// aggregated reads the schemas of an aggregated API and returns its resources that may
// embed a pod template. Those of a document that is too large are all taken to.
func (d *Discovery) aggregated(ctx context.Context, name string) ([]Resource, error) {
	raw, err := d.client.Get().AbsPath("/apis/apiregistration.k8s.io/v1/apiservices", name).Do(ctx).Raw()
	if err != nil {
		return nil, fmt.Errorf("reading APIService %s: %w", name, err)
	}
	var service apiService
	if err := json.Unmarshal(raw, &service); err != nil {
		return nil, fmt.Errorf("decoding APIService %s: %w", name, err)
	}
	if service.Spec.Service == nil {
		return nil, nil
	}
	gv := schema.GroupVersion{Group: service.Spec.Group, Version: service.Spec.Version}
	resources, err := d.served(ctx, gv)
	if err != nil {
		return nil, err
	}
	where, err := d.schemas(ctx, gv)
	if err != nil {
		return nil, err
	}
	var found []Resource
	for _, r := range resources {
		if at, said := where(r.Kind); at != "" && workload.Searched(gv.WithKind(r.Kind).GroupKind()) {
			found = append(found, Resource{Group: gv.Group, Versions: []string{gv.Version}, Resource: r.Name, Kind: r.Kind, Where: at, Said: said})
		}
	}
	return found, nil
}

// served lists the resources of a group and version, without subresources.
func (d *Discovery) served(ctx context.Context, gv schema.GroupVersion) ([]metav1.APIResource, error) {
	raw, err := d.client.Get().AbsPath("/apis", gv.Group, gv.Version).Do(ctx).Raw()
	if err != nil {
		return nil, fmt.Errorf("listing the resources of %s: %w", gv, err)
	}
	var list metav1.APIResourceList
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("decoding the resources of %s: %w", gv, err)
	}
	var resources []metav1.APIResource
	for _, r := range list.APIResources {
		if !strings.Contains(r.Name, "/") {
			resources = append(resources, r)
		}
	}
	return resources, nil
}

// schemas returns where the objects of each kind of a group and version may embed a
// pod template.
func (d *Discovery) schemas(ctx context.Context, gv schema.GroupVersion) (func(kind string) (string, bool), error) {
	stream, err := d.client.Get().AbsPath("/openapi/v3/apis", gv.Group, gv.Version).Stream(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the schemas of %s: %w", gv, err)
	}
	defer stream.Close() //nolint:errcheck // read only
	limited := &io.LimitedReader{R: stream, N: maxDocument}
	var document openAPI
	if err := json.NewDecoder(limited).Decode(&document); err != nil {
		if limited.N <= 0 {
			return func(string) (string, bool) { return "*", false }, nil
		}
		return nil, fmt.Errorf("decoding the schemas of %s: %w", gv, err)
	}
	search := workload.Schemas{Definitions: map[string]*workload.Schema{}, Open: true}
	kinds := map[string]*workload.Schema{}
	for name, s := range document.Components.Schemas {
		search.Definitions[name] = &s.Schema
		for _, kind := range s.Kinds {
			if kind.Group == gv.Group && kind.Version == gv.Version {
				kinds[kind.Kind] = &s.Schema
			}
		}
	}
	return func(kind string) (string, bool) {
		if s, known := kinds[kind]; known {
			return search.Images(gv.WithKind(kind).GroupKind(), s)
		}
		return "*", false // it isn't said what its objects hold
	}, nil
}
