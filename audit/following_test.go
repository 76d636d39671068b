package audit

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"embargo.dev/audit/inventory"
)

// TestWhatIsWaitedFor asks of kinds that can't be listed whether the audit goes on without.
func TestWhatIsWaitedFor(t *testing.T) {
	var (
		custom    = &inventory.Kind{GroupVersionKind: schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Widget"}, Resource: "widgets"}
		forbidden = apierrors.NewForbidden(schema.GroupResource{}, "", nil)
		down      = errors.New("the API server is down")
		long      = time.Now().Add(-time.Minute)
	)
	assert.True(t, (&following{kind: builtin[0], listed: true, unread: down}).done(true))
	assert.False(t, (&following{kind: builtin[0]}).done(false), "nothing was heard of it yet")
	assert.False(t, (&following{kind: builtin[0], unread: down, since: long}).done(false), "the API server comes back")
	assert.False(t, (&following{kind: reportKind, unread: forbidden, since: long}).done(false), "without it all would be forgotten")
	for _, k := range []*inventory.Kind{builtin[0], nodeKind, custom} {
		assert.True(t, (&following{kind: k, unread: forbidden, since: long}).done(true), k)
		assert.False(t, (&following{kind: k, unread: forbidden, since: time.Now()}).done(true), "%s: an API server that starts refuses at first", k)
		assert.True(t, (&following{kind: k, unread: forbidden, since: time.Now()}).done(false), "%s: the rest goes on", k)
	}
	assert.True(t, (&following{kind: custom, unread: down, since: time.Now()}).done(false))
}
