package discovery

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"embargo.dev/policies/workload"
)

// definition is as much of a CustomResourceDefinition as is looked at.
type definition struct {
	Spec struct {
		Group string `json:"group"`
		Names struct {
			Plural string `json:"plural"`
			Kind   string `json:"kind"`
		} `json:"names"`
		Versions []struct {
			Name   string `json:"name"`
			Served bool   `json:"served"`
			Schema struct {
				OpenAPIV3Schema *workload.Schema `json:"openAPIV3Schema"`
			} `json:"schema"`
		} `json:"versions"`
	} `json:"spec"`
}

// custom reads a CustomResourceDefinition and returns its resource where that may carry
// images. All served versions in which it may are named: a request in another
// one is converted by the API server.
func (d *Discovery) custom(ctx context.Context, name string) ([]Resource, error) {
	raw, err := d.client.Get().AbsPath("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", name).Do(ctx).Raw()
	if err != nil {
		return nil, fmt.Errorf("reading CustomResourceDefinition %s: %w", name, err)
	}
	var crd definition
	if err := json.Unmarshal(raw, &crd); err != nil {
		return nil, fmt.Errorf("decoding CustomResourceDefinition %s: %w", name, err)
	}
	return crd.resources(), nil
}

func (d *definition) resources() []Resource {
	r := Resource{Group: d.Spec.Group, Resource: d.Spec.Names.Plural, Kind: d.Spec.Names.Kind}
	kind := schema.GroupKind{Group: r.Group, Kind: r.Kind}
	for _, v := range d.Spec.Versions {
		if !v.Served {
			continue
		}
		if where, said := (workload.Schemas{}).Images(kind, v.Schema.OpenAPIV3Schema); where != "" {
			r.Versions = append(r.Versions, v.Name)
			r.Where, r.Said = where, said
		}
	}
	if len(r.Versions) == 0 {
		return nil
	}
	slices.Sort(r.Versions)
	return []Resource{r}
}
