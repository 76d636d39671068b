package lint

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"

	"embargo.dev/config/crd"
)

// schema checks objects as an API server with the CustomResourceDefinition does, with
// the API server's own code.
type schema struct {
	props      *apiextensions.JSONSchemaProps
	structural *structural.Structural
	validator  validation.SchemaValidator
	rules      *cel.Validator
}

// vendorSchema is made once: its rules take a while to compile.
var vendorSchema = sync.OnceValues(func() (*schema, error) {
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(crd.RestrictedVendors, &definition); err != nil {
		return nil, fmt.Errorf("reading the definition of RestrictedVendor: %w", err)
	}
	s := &schema{props: &apiextensions.JSONSchemaProps{}}
	versioned := definition.Spec.Versions[0].Schema.OpenAPIV3Schema
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(versioned, s.props, nil); err != nil {
		return nil, err
	}
	var err error
	if s.structural, err = structural.NewStructural(s.props); err != nil {
		return nil, err
	}
	if s.validator, _, err = validation.NewSchemaValidator(s.props); err != nil {
		return nil, err
	}
	s.rules = cel.NewValidator(s.structural, true, celconfig.PerCallLimit)
	return s, nil
})

// check says what an API server would refuse of an object, by its schema and by its
// rules, which need all that they are about.
func (s *schema) check(ctx context.Context, object map[string]any) field.ErrorList {
	errs := validation.ValidateCustomResource(nil, object, s.validator)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, s.structural, object)...)
	if !slices.ContainsFunc(errs, incomplete) {
		broken, _ := s.rules.Validate(ctx, nil, s.structural, object, nil, celconfig.RuntimeCELCostBudget)
		errs = append(errs, broken...)
	}
	for _, err := range errs {
		if err.Type == field.ErrorTypeRequired && err.Detail == "" {
			err.Detail = s.describe(err.Field)
		}
	}
	return errs
}

func incomplete(err *field.Error) bool {
	return err.Type == field.ErrorTypeRequired || err.Type == field.ErrorTypeTypeInvalid
}

// describe returns the first sentence of a field's description: what is to be there.
func (s *schema) describe(path string) string {
	props := s.props
	for step := range strings.SplitSeq(path, ".") {
		name, _, indexed := strings.Cut(step, "[")
		child, ok := props.Properties[name]
		if !ok {
			return ""
		}
		props = &child
		if indexed && props.Items != nil && props.Items.Schema != nil {
			props = props.Items.Schema
		}
	}
	text := strings.Join(strings.Fields(props.Description), " ")
	if end := strings.Index(text, ". "); end >= 0 {
		text = text[:end]
	}
	return strings.TrimSuffix(text, ".")
}
