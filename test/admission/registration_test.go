package admission_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
)

const configuration = "validatingwebhookconfiguration/embargo"

// repaired is how often the replicas repaired the configuration.
func repaired(t *testing.T) (count int) {
	t.Helper()
	for _, replica := range stage.Replicas {
		count += int(metricValue(t, replica.Metrics, "embargo_webhook_repairs_total", "", ""))
	}
	return count
}

// TestOnlyWhatOthersChangeIsARepair: rules that change it are no alarm.
func TestOnlyWhatOthersChangeIsARepair(t *testing.T) {
	settle(t)
	before := repaired(t)
	written := func() string { return must(t, "get", configuration, "-o", "jsonpath={.metadata.resourceVersion}") }
	version := written()
	restrict(t, vendor("unrepaired", prohibited))
	require.Eventually(t, func() bool { return written() != version }, 10*time.Second, 50*time.Millisecond)
	settle(t)
	assert.Equal(t, before, repaired(t))
	must(t, "annotate", configuration, "example.com/remark=x", "--overwrite")
	settle(t)
	assert.Equal(t, before, repaired(t), "it is as it should be")
}

func TestTheConfigurationIsMended(t *testing.T) {
	settle(t)
	before := repaired(t)
	want := must(t, "get", configuration, "-o", "jsonpath={.webhooks}")
	must(t, "patch", configuration, "--type=json", `-p=[{"op":"remove","path":"/webhooks/0"}]`)
	require.Eventually(t, func() bool {
		got, err := kubectl(t, "get", configuration, "-o", "jsonpath={.webhooks}")
		return err == nil && sameEntries(t, want, got)
	}, 10*time.Second, 50*time.Millisecond, "an entry that was taken out comes back")
	require.Eventually(t, func() bool { return repaired(t) == before+1 }, 10*time.Second, 50*time.Millisecond)
	must(t, "delete", configuration)
	require.Eventually(t, func() bool {
		got, err := kubectl(t, "get", configuration, "-o", "jsonpath={.webhooks}")
		return err == nil && sameEntries(t, want, got)
	}, 10*time.Second, 50*time.Millisecond, "the configuration comes back")
	require.Eventually(t, func() bool { return repaired(t) == before+2 }, 10*time.Second, 50*time.Millisecond)
}

// TestWhatOthersPutBesideItIsTakenOut: an entry of which a condition is never true isn't
// called, and server-side apply leaves such a condition there.
func TestWhatOthersPutBesideItIsTakenOut(t *testing.T) {
	settle(t)
	want := must(t, "get", configuration, "-o", "jsonpath={.webhooks}")
	for name, patch := range map[string]string{
		"a condition":              `[{"op":"add","path":"/webhooks/0/matchConditions/-","value":{"name":"never","expression":"false"}}]`,
		"an entry":                 `[{"op":"add","path":"/webhooks/-","value":{"name":"other.example.com","clientConfig":{"url":"https://localhost:1"},"sideEffects":"None","admissionReviewVersions":["v1"],"failurePolicy":"Ignore","rules":[]}}]`,
		"another way to reach it":  `[{"op":"replace","path":"/webhooks/0/clientConfig","value":{"service":{"name":"nobody","namespace":"default"}}}]`,
		"a selector of objects":    `[{"op":"replace","path":"/webhooks/0/objectSelector","value":{"matchLabels":{"a":"b"}}}]`,
		"a selector of namespaces": `[{"op":"replace","path":"/webhooks/0/namespaceSelector","value":{"matchLabels":{"a":"b"}}}]`,
		"another failure policy":   `[{"op":"replace","path":"/webhooks/0/failurePolicy","value":"Ignore"}]`,
		"fewer rules":              `[{"op":"remove","path":"/webhooks/0/rules/0"}]`,
		"another order":            `[{"op":"move","from":"/webhooks/0","path":"/webhooks/3"}]`,
	} {
		t.Run(name, func(t *testing.T) {
			must(t, "patch", configuration, "--type=json", "-p="+patch)
			require.Eventually(t, func() bool {
				got, err := kubectl(t, "get", configuration, "-o", "jsonpath={.webhooks}")
				return err == nil && got == want
			}, 10*time.Second, 50*time.Millisecond)
			settle(t)
			version := must(t, "get", configuration, "-o", "jsonpath={.metadata.resourceVersion}")
			settle(t)
			assert.Equal(t, version, must(t, "get", configuration, "-o", "jsonpath={.metadata.resourceVersion}"), "once")
		})
	}
}

func sameEntries(t *testing.T, want, got string) bool {
	t.Helper()
	names := func(text string) map[string]bool {
		var entries []struct{ Name string }
		require.NoError(t, json.Unmarshal([]byte(text), &entries))
		set := map[string]bool{}
		for _, e := range entries {
			set[e.Name] = true
		}
		return set
	}
	return assert.ObjectsAreEqual(names(want), names(got))
}

func TestNothingIsWrittenWhereNothingChanges(t *testing.T) {
	settle(t)
	version := func() string { return must(t, "get", configuration, "-o", "jsonpath={.metadata.resourceVersion}") }
	before := version()
	must(t, "annotate", "rv", "kaspersky", "example.com/remark="+time.Now().Format("150405"), "--overwrite")
	ns := namespace(t)
	must(t, "-n", ns, "run", "web", "--image=nginx")
	assert.Equal(t, before, version())
}

// TestEveryDecisionIsInTheAuditLog reads the API server's own audit log.
func TestEveryDecisionIsInTheAuditLog(t *testing.T) {
	ns := namespace(t)
	_, err := kubectl(t, "-n", ns, "run", "logged", "--image="+restricted)
	require.Error(t, err)
	require.Eventually(t, func() bool {
		content, err := os.ReadFile(stage.Plane.AuditLog())
		require.NoError(t, err)
		for line := range bytes.Lines(content) {
			var event auditv1.Event
			if json.Unmarshal(line, &event) != nil || event.ObjectRef == nil || event.ObjectRef.Namespace != ns || event.Verb != "create" || event.ObjectRef.Resource != "pods" {
				continue
			}
			a := event.Annotations
			return a["introductions.embargo.dev/decision"] == "Deny" &&
				strings.HasPrefix(a["introductions.embargo.dev/rule-set"], "sha256:") &&
				strings.Contains(a["introductions.embargo.dev/findings"], `"vendor":"kaspersky"`) &&
				a["introductions.embargo.dev/instant"] != ""
		}
		return false
	}, 10*time.Second, 100*time.Millisecond)
}
