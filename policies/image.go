package policies

import (
	"cmp"
	"errors"
	"strings"

	"embargo.dev/policies/imageref"
	"embargo.dev/policies/workload"
)

// image is an image field, read as far as it can be.
type image struct {
	workload.Image

	reference imageref.Reference
	problem   Evidence // EvidenceUnparsable, EvidenceUnresolved or ""
	reason    string   // of the problem
}

// readImage reads an image field of an object of a built-in kind, or of a custom
// resource, in which text with parameters is to be expected. Where only the tag or the
// digest has parameters, the repository tells whose image it is.
func readImage(field workload.Image, custom bool) image {
	img := image{Image: field}
	if field.Unreadable != "" {
		img.problem, img.reason = EvidenceUnparsable, field.Unreadable
		return img
	}
	reference, err := imageref.Parse(field.Value)
	if err != nil {
		reference, img.problem, img.reason = readParametric(field.Value, custom, err)
	}
	img.reference = reference
	return img
}

// readParametric reads an image that is none as it is written, or says why it can't be
// read.
func readParametric(text string, custom bool, err error) (imageref.Reference, Evidence, string) {
	if strings.TrimSpace(text) == "" {
		return imageref.Reference{}, EvidenceUnresolved, "it is empty"
	}
	if reference, ok := imageref.ParseParametric(text); ok {
		return reference, "", ""
	}
	switch parametric := imageref.HasParameters(text); {
	case parametric && custom:
		return imageref.Reference{}, EvidenceUnresolved, "it has parameters"
	case parametric, strings.Contains(text, "$"): // such as $IMAGE
		return imageref.Reference{}, EvidenceUnparsable, "it has a parameter that nothing fills in"
	default:
		return imageref.Reference{}, EvidenceUnparsable, cmp.Or(errors.Unwrap(err), err).Error() // it stands beside the image
	}
}

// isCustom reports whether objects of the request's kind are found by structure.
func (r Request) isCustom() bool { return !workload.Builtin(r.Kind) }
