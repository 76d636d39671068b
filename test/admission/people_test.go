package admission_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestViewersReadAndApproversExempt asks the API server what the roles for people let
// them do.
func TestViewersReadAndApproversExempt(t *testing.T) {
	for user, role := range map[string]string{"viewing-vera": "view", "approving-ada": "embargo-waiver-approver", "editing-ed": "edit"} {
		must(t, "create", "clusterrolebinding", user, "--clusterrole="+role, "--user="+user)
		t.Cleanup(func() { must(t, "delete", "clusterrolebinding", user) })
	}
	can := func(user, verb, resource string) bool {
		output, err := kubectl(t, "auth", "can-i", verb, resource, "--as="+user)
		if err != nil {
			require.Contains(t, output, "no", output)
		}
		return strings.HasPrefix(strings.TrimSpace(lastLine(output)), "yes")
	}
	require.Eventually(t, func() bool { return can("viewing-vera", "list", "vendorpolicies.embargo.dev") }, 15*time.Second, 200*time.Millisecond, "the role is aggregated to view")
	assert.False(t, can("viewing-vera", "create", "vendorwaivers.embargo.dev"))
	assert.True(t, can("approving-ada", "create", "vendorwaivers.embargo.dev"))
	assert.True(t, can("approving-ada", "exempt", "vendorwaivers.embargo.dev"))
	assert.False(t, can("approving-ada", "exempt", "vendorpolicies.embargo.dev"))
	assert.False(t, can("approving-ada", "delete", "vendorpolicies.embargo.dev"))
	for _, verb := range []string{"create", "patch", "exempt"} {
		assert.False(t, can("editing-ed", verb, "vendorwaivers.embargo.dev"), "who edits a namespace grants it no exception")
	}
}

// lastLine leaves out the warnings before an answer.
func lastLine(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return lines[len(lines)-1]
}

// TestTheControllerHasNoMoreRightsThanItNeeds asks what its service account may do.
func TestTheControllerHasNoMoreRightsThanItNeeds(t *testing.T) {
	const self = "--as=system:serviceaccount:embargo-system:embargo"
	for _, question := range [][]string{
		{"get", "secrets", "-n", "default"},
		{"list", "secrets", "-A"},
		{"get", "secrets/another", "-n", "embargo-system"},
		{"list", "secrets", "-n", "embargo-system"},
		{"create", "pods", "-n", "default"},
		{"patch", "validatingwebhookconfigurations/another"},
		{"patch", "namespaces"},
		{"exempt", "vendorpolicies.embargo.dev"},
		{"escalate", "clusterroles"},
	} {
		output, err := kubectl(t, append([]string{"auth", "can-i", self}, question...)...)
		require.Error(t, err, "%v: %s", question, output)
		assert.Equal(t, "no", lastLine(output), "%v", question)
	}
	must(t, "auth", "can-i", self, "get", "secrets/embargo-webhook-certificate", "-n", "embargo-system")
}

// othersUnread is what the audit logs of a resource of somebody else's API group.
var othersUnread = regexp.MustCompile(`not audited, since it can't be read" resource=[a-z]+\.[a-z0-9-]+\.`)

// TestTheControllerIsForbiddenNothing reads the log of all replicas since they started.
func TestTheControllerIsForbiddenNothing(t *testing.T) {
	settle(t)
	log, err := os.ReadFile(stage.Log.Name())
	require.NoError(t, err)
	for line := range strings.Lines(string(log)) {
		if othersUnread.MatchString(line) {
			continue // operators extend what may be read by aggregation
		}
		assert.NotContains(t, line, `is forbidden: User \"system:serviceaccount:embargo-system:embargo\"`)
	}
}
