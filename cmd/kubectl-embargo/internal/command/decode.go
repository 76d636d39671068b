package command

import (
	stdjson "encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"sigs.k8s.io/json"

	"embargo.dev/cmd/kubectl-embargo/internal/manifest"
)

// decode reads an object strictly, as the API server would: a key that its kind
// doesn't have, also one in another case, is an error with its line.
func decode[T any](o manifest.Object) (T, []*manifest.Error) {
	var object T
	raw, err := stdjson.Marshal(o.Fields)
	if err != nil {
		return object, []*manifest.Error{o.Error("", err)}
	}
	unknown, err := json.UnmarshalStrict(raw, &object)
	if err != nil {
		return object, []*manifest.Error{mistyped(o, err)}
	}
	var errs []*manifest.Error
	for _, err := range unknown {
		path := ""
		if at, ok := errors.AsType[json.FieldError](err); ok {
			path = at.FieldPath()
		}
		errs = append(errs, o.Error(path, fmt.Errorf("%s: %w", o.Kind().Kind, err)))
	}
	return object, errs
}

// mistyped says which field isn't of its type. The only instant that people write in
// these kinds is a waiver's.
func mistyped(o manifest.Object, err error) *manifest.Error {
	if wrong, ok := errors.AsType[*stdjson.UnmarshalTypeError](err); ok {
		return o.Error(wrong.Field, fmt.Errorf("%s: %s: there is a %s where %s should be", o.Kind().Kind, wrong.Field, wrong.Value, wrong.Type))
	}
	if wrong, ok := errors.AsType[*time.ParseError](err); ok {
		return o.Error("spec.expires", fmt.Errorf("%s: spec.expires: %s is no RFC 3339 instant such as 2025-01-31T00:00:00Z",
			o.Kind().Kind, strings.Trim(wrong.Value, `"`)))
	}
	return o.Error("", fmt.Errorf("%s: %w", o.Kind().Kind, err))
}
