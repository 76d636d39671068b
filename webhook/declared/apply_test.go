package declared

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TestAMissingRightIsTriedAgain: the rule for a declared waiver comes with the values.
func TestAMissingRightIsTriedAgain(t *testing.T) {
	forbidden := func(text string) error {
		return apierrors.NewForbidden(schema.GroupResource{Group: "embargo.dev", Resource: "vendorwaivers"}, "mail", errors.New(text))
	}
	assert.False(t, lasting(forbidden(`User "system:serviceaccount:embargo-system:embargo" cannot patch resource "vendorwaivers" in API group "embargo.dev" at the cluster scope`)))
	assert.True(t, lasting(forbidden(`admission webhook "kinds.embargo.dev" denied the request: spec.vendor: Required value`)))
}
