package command

import (
	"fmt"
	"strings"

	"embargo.dev/cmd/kubectl-embargo/internal/manifest"
	"embargo.dev/cmd/kubectl-embargo/internal/output"
	"embargo.dev/policies/workload"
)

// noteOtherImages notes the fields named image of a custom resource that look like a
// vendor's, and from which no container is known to be started.
func (g *gathered) noteOtherImages(o manifest.Object, one *candidate) {
	for _, img := range workload.OtherImages(one.kind.GroupKind(), o.Fields, one.object.Images) {
		vendors := g.set.VendorsOf(img.Value)
		if len(vendors) == 0 {
			continue
		}
		at := output.InputError{File: one.identity.File, Line: o.Place(img.Field).Line, Message: fmt.Sprintf(
			"%s: %s is %q, which looks like an image of %s; it is no finding, because no container is known to be started from this field",
			one.title(), img.Field, img.Value, strings.Join(vendors, " and of "))}
		g.notice("%s", at.String())
	}
}
