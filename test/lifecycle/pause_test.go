package lifecycle_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAPauseEndsByItself(t *testing.T) {
	t.Parallel() // it mostly waits
	s := setUp(t)
	until := time.Now().Add(8 * time.Second).UTC().Truncate(time.Second)
	s.kubectl(t, "annotate", "namespace", "embargo-system", "embargo.dev/paused-until="+until.Format(time.RFC3339))
	require.Eventually(t, func() bool {
		return s.kubectl(t, "get", "validatingwebhookconfigurations", "-o", "name") == ""
	}, 5*time.Second, 100*time.Millisecond)
	s.kubectl(t, "run", "meanwhile", "--image="+restricted)
	require.Eventually(t, func() bool {
		return strings.Contains(s.kubectl(t, "get", "rv", "kaspersky", "-o", `jsonpath={.status.conditions[?(@.type=="Enforced")]}`), "admission is paused until "+until.Format(time.RFC3339))
	}, 5*time.Second, 100*time.Millisecond)
	require.Eventually(t, func() bool {
		_, err := s.try(t, "run", "afterwards", "--dry-run=server", "--image="+restricted)
		return err != nil
	}, 20*time.Second, 200*time.Millisecond)
	assert.False(t, time.Now().Before(until))

	s.kubectl(t, "annotate", "namespace", "embargo-system", "--overwrite", "embargo.dev/paused-until=tomorrow")
	for until := time.Now().Add(3 * time.Second); time.Now().Before(until); {
		require.NotEmpty(t, s.kubectl(t, "get", "validatingwebhookconfigurations", "-o", "name"), "what can't be read pauses nothing")
	}
}
