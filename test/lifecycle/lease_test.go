package lifecycle_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"

	"embargo.dev/test/controlplane"
	"embargo.dev/test/installation"
)

// TestNoReplicaMayTakeTheLease takes the right away, as roles of somebody's own may: nobody
// leads, which the log and the metric behind EmbargoNotRegistered say, while replicas go on
// deciding. With the right back, a replica leads without a restart.
func TestNoReplicaMayTakeTheLease(t *testing.T) {
	s := setUpOn(t, controlplane.Options{ControllerManager: true}, newObstacle(t))
	before := s.roleRules(t)
	s.setRoleRules(t, slices.DeleteFunc(slices.Clone(before), func(r rbacv1.PolicyRule) bool {
		return slices.Contains(r.Resources, "leases")
	}))
	var err error
	s.kubeconfig, err = installation.Kubeconfig(t.Context(), s.plane, t.TempDir())
	require.NoError(t, err)
	s.restart(t)

	poll(t, recovery, func() bool {
		log := s.logged(t)
		return strings.Contains(log, "leases") && strings.Contains(log, "forbidden")
	})
	assert.True(t, s.hasMetric(t, "embargo_webhook_registered", 0))
	assert.True(t, s.hasMetric(t, "embargo_paused", 0))
	assert.True(t, s.refuses(t), "replicas decide without a leader")

	s.setRoleRules(t, before)
	poll(t, recovery, func() bool { return s.hasMetric(t, "embargo_webhook_registered", 1) })
}

// roleRules returns what the controller may do in its own namespace.
func (s *stage) roleRules(t *testing.T) []rbacv1.PolicyRule {
	t.Helper()
	var role rbacv1.Role
	require.NoError(t, json.Unmarshal([]byte(s.kubectl(t, "-n", "embargo-system", "get", "role", "embargo", "-o", "json")), &role))
	return role.Rules
}

func (s *stage) setRoleRules(t *testing.T, rules []rbacv1.PolicyRule) {
	t.Helper()
	patch, err := json.Marshal(map[string]any{"rules": rules})
	require.NoError(t, err)
	s.kubectl(t, "-n", "embargo-system", "patch", "role", "embargo", "--type=merge", "--patch="+string(patch))
}
