package lint

import (
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	content "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// Vendor says what is wrong or odd about a vendor: decoded, and with the fields as they
// were written.
func Vendor(ctx context.Context, v *v1alpha1.RestrictedVendor, fields map[string]any) ([]Problem, error) {
	schema, err := vendorSchema()
	if err != nil {
		return nil, err
	}
	errs := append(metadata(v), policies.ValidateRestrictedVendor(v)...)
	for _, err := range schema.check(ctx, fields) {
		errs = add(errs, err)
	}
	var problems []Problem
	for _, err := range errs {
		problems = append(problems, failure(err))
	}
	for _, odd := range oddities(v) {
		if !slices.ContainsFunc(errs, func(e *field.Error) bool { return e.Field == odd.Field }) {
			problems = append(problems, odd)
		}
	}
	return problems, nil
}

// metadata says what an API server would refuse of a vendor's name and labels.
func metadata(v *v1alpha1.RestrictedVendor) field.ErrorList {
	path := field.NewPath("metadata")
	errs := validation.ValidateLabels(v.Labels, path.Child("labels"))
	switch {
	case v.Name == "":
		errs = append(errs, field.Required(path.Child("name"), "a DNS label, such as acme"))
	case len(content.IsDNS1123Label(v.Name)) > 0:
		errs = append(errs, field.Invalid(path.Child("name"), v.Name,
			"must be a DNS label: at most 63 lower-case letters, digits and -, with a letter or digit at either end"))
	}
	return errs
}

// add adds a problem of the schema's, unless it is named more exactly already: of the
// same field or, where a rule is about a whole, of a part. That something is missing
// goes before that it has no known value.
func add(errs field.ErrorList, err *field.Error) field.ErrorList {
	whole := strings.TrimSuffix(err.Field, "<nil>")
	for i, e := range errs {
		part := whole == "" || strings.HasPrefix(e.Field, whole+"[") || strings.HasPrefix(e.Field, whole+".")
		switch {
		case e.Field == err.Field && err.Type == field.ErrorTypeRequired:
			errs[i] = err
			return errs
		case e.Field == err.Field, part && err.Type == field.ErrorTypeInvalid:
			return errs
		}
	}
	return append(errs, err)
}
