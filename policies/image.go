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

// readImage reads an image field of an object of a built-in kind, or of a
// custom resource, in which text with parameters is to be expected.
func readImage(field workload.Image, custom bool) image {
	img := image{Image: field}
	switch {
	case field.Unreadable != "":
		img.problem, img.reason = EvidenceUnparsable, field.Unreadable
	case strings.TrimSpace(field.Value) == "":
		img.problem, img.reason = EvidenceUnresolved, "it is empty"
	case custom && hasParameters(field.Value):
		img.problem, img.reason = EvidenceUnresolved, "it has parameters"
	default:
		reference, err := imageref.Parse(field.Value)
		if err != nil {
			img.problem, img.reason = EvidenceUnparsable, cmp.Or(errors.Unwrap(err), err).Error() // it stands beside the image
		}
		img.reference = reference
	}
	return img
}

// hasParameters recognises text that another controller fills in later: Tekton's
// and Kubernetes' $(…), and the {{…}} of Argo and of templates.
func hasParameters(text string) bool {
	for _, brackets := range [][2]string{{"$(", ")"}, {"{{", "}}"}} {
		if _, rest, found := strings.Cut(text, brackets[0]); found && strings.Contains(rest, brackets[1]) {
			return true
		}
	}
	return false
}

// isCustom reports whether objects of the request's kind are found by structure.
func (r Request) isCustom() bool { return !workload.Builtin(r.Kind) }
