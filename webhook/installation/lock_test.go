package installation

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// TestTheLeaseIsCreatedUnderItsNameAndHeldOnce leaves out replicas that update the same
// version, which the fake clientset lets them do; a real API server reports a conflict.
func TestTheLeaseIsCreatedUnderItsNameAndHeldOnce(t *testing.T) {
	client := fake.NewClientset()
	lock := func(identity string) *LeaseLock {
		return NewLeaseLock(client.CoordinationV1(), "embargo-system", "embargo", resourcelock.ResourceLockConfig{Identity: identity})
	}
	record := func(holder string) resourcelock.LeaderElectionRecord {
		now := metav1.NewTime(time.Now().Truncate(time.Second))
		return resourcelock.LeaderElectionRecord{HolderIdentity: holder, LeaseDurationSeconds: 15, AcquireTime: now, RenewTime: now}
	}
	first, second := lock("first"), lock("second")
	require.NoError(t, first.Create(t.Context(), record("first")))
	err := second.Create(t.Context(), record("second"))
	assert.True(t, apierrors.IsAlreadyExists(err), "%v", err)
	held, _, err := second.Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "first", held.HolderIdentity)
	require.NoError(t, first.Update(t.Context(), record("")), "it is released")
	require.NoError(t, second.Create(t.Context(), record("second")), "and taken again")
	for _, action := range client.Actions() {
		assert.NotEqual(t, "create", action.GetVerb(), "the name isn't known to whoever authorizes a plain creation")
	}
}
