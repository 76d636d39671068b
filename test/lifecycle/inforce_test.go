package lifecycle_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/policies/catalog"
	"embargo.dev/test/installation"
)

// recovery is how long it may take until everything is in force again.
const recovery = 2 * time.Minute

// metrics returns the metrics of the replica.
func (s *stage) metrics(t *testing.T) string {
	t.Helper()
	response, err := http.Get(s.replica.Metrics)
	require.NoError(t, err)
	defer response.Body.Close() //nolint:errcheck // read only
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(content)
}

// hasMetric reports whether a sample has a value.
func (s *stage) hasMetric(t *testing.T, sample string, value int) bool {
	t.Helper()
	return strings.Contains(s.metrics(t), fmt.Sprintf("\n%s %d\n", sample, value))
}

// enforced returns an object's condition Enforced as STATUS REASON, "" where there is none.
func (s *stage) enforced(t *testing.T, object string) string {
	t.Helper()
	output, err := s.try(t, "get", object, "-o", `jsonpath={.status.conditions[?(@.type=="Enforced")].status} {.status.conditions[?(@.type=="Enforced")].reason}`)
	if err != nil {
		return ""
	}
	return output
}

// refuses reports whether Embargo itself refuses a restricted image.
func (s *stage) refuses(t *testing.T) bool {
	t.Helper()
	output, err := s.try(t, "run", "probe", "--dry-run=server", "--image="+restricted)
	return err != nil && strings.Contains(output, "refused by cluster policy")
}

func TestDeletedVendorsComeBack(t *testing.T) {
	s := setUp(t)
	require.True(t, s.refuses(t))
	s.kubectl(t, "delete", "restrictedvendors", "--all", "--wait=false")
	poll(t, recovery, func() bool {
		return len(strings.Fields(s.kubectl(t, "get", "restrictedvendors", "-o", "name"))) == len(catalog.Names()) && s.refuses(t)
	})
	poll(t, recovery, func() bool {
		events := s.kubectl(t, "-n", "default", "get", "events", "--field-selector=reason=VendorRestored", "-o", "jsonpath={.items[*].message}")
		return strings.Contains(events, `set catalog.vendors to ["*", "!kaspersky"]`)
	})
	assert.True(t, s.hasMetric(t, `embargo_catalog_vendors{state="managed",vendor="kaspersky"}`, 1))

	// Whoever takes the label away keeps the vendor, also through a new start.
	s.kubectl(t, "label", "restrictedvendor", "zte", "embargo.dev/list-")
	s.kubectl(t, "patch", "restrictedvendor", "zte", "--type=merge", `-p={"spec":{"displayName":"ours"}}`)
	s.restart(t)
	poll(t, recovery, func() bool { return s.hasMetric(t, `embargo_catalog_vendors{state="foreign",vendor="zte"}`, 1) })
	assert.Equal(t, "ours", s.kubectl(t, "get", "restrictedvendor", "zte", "-o", "jsonpath={.spec.displayName}"))
}

// TestNothingInForceIsNeverGreen deletes the policies, and then writes one with a mistake.
func TestNothingInForceIsNeverGreen(t *testing.T) {
	s := setUp(t)
	assert.False(t, s.hasMetric(t, "embargo_restrictions_in_force", 0))
	assert.True(t, s.hasMetric(t, `embargo_objects{kind="VendorPolicy"}`, 1))
	s.kubectl(t, "delete", "vendorpolicies", "--all")
	poll(t, recovery, func() bool {
		return s.hasMetric(t, "embargo_restrictions_in_force", 0) && s.hasMetric(t, `embargo_objects{kind="VendorPolicy"}`, 0) &&
			s.enforced(t, "restrictedvendor/kaspersky") == "False NoPolicy"
	})
	s.applyFile(t, "apiVersion: embargo.dev/v1alpha1\nkind: VendorPolicy\nmetadata: {name: typo}\nspec: {audiences: [us-person]}\n")
	poll(t, recovery, func() bool { return s.enforced(t, "vendorpolicy/typo") == "False NoRestriction" })
	assert.Contains(t, s.kubectl(t, "get", "vendorpolicy", "typo", "-o", "jsonpath={.status.conditions}"), "us-persons")
	assert.True(t, s.hasMetric(t, "embargo_restrictions_in_force", 0))
	assert.False(t, s.refuses(t))

	s.kubectl(t, "patch", "vendorpolicy", "typo", "--type=merge", `-p={"spec":{"audiences":["us-persons"]}}`)
	poll(t, recovery, func() bool { return s.enforced(t, "vendorpolicy/typo") == "True Registered" && s.refuses(t) })
	assert.False(t, s.hasMetric(t, "embargo_restrictions_in_force", 0))
}

// TestDeletedKindsComeBack deletes all CustomResourceDefinitions and applies them anew: once
// beside a running replica, and once with one that starts meanwhile.
func TestDeletedKindsComeBack(t *testing.T) {
	t.Parallel() // it mostly waits
	s := setUp(t)
	kinds := strings.Fields(s.kubectl(t, "get", "crd", "-o", "name"))
	require.Len(t, kinds, 4)
	for round, restarts := range []bool{false, true} {
		s.kubectl(t, append([]string{"delete"}, kinds...)...)
		poll(t, recovery, func() bool { return s.hasMetric(t, "embargo_restrictions_in_force", 0) })
		loose := fmt.Sprint("loose-", round)
		poll(t, recovery, func() bool {
			_, err := s.try(t, "run", loose, "--image="+restricted)
			return err == nil // the API server no longer asks
		})
		if restarts {
			require.NoError(t, s.replica.Stop())
			s.launch(t)
		}
		require.NoError(t, installation.Prepare(t.Context(), s.plane, root))
		began := time.Now()
		poll(t, recovery, func() bool {
			return s.enforced(t, "vendorpolicy/default") == "True Registered" && s.enforced(t, "restrictedvendor/kaspersky") == "True Registered" && s.refuses(t)
		})
		t.Logf("in force again after %s", time.Since(began).Round(time.Second))
		ctx, cancel := context.WithTimeout(t.Context(), recovery)
		require.NoError(t, s.replica.AwaitReady(ctx))
		cancel()
		poll(t, recovery-time.Since(began), func() bool {
			output, err := s.try(t, "get", "vendorreport", "kaspersky", "-o", "jsonpath={.findings[*].workload.name}")
			return err == nil && strings.Contains(output, loose)
		})
		t.Logf("reported again after %s", time.Since(began).Round(time.Second))
	}
	s.kubectl(t, "delete", "vendorpolicy", "default")
	s.restart(t)
	poll(t, recovery, func() bool { return s.hasMetric(t, "embargo_webhook_registered", 1) })
	assert.Empty(t, s.kubectl(t, "get", "vendorpolicies", "-o", "name"), "what a person deletes stays deleted")
}

// TestWhatArrivedDuringAnOutageIsReportedAtOnce has a custom resource with a pod template come
// in while Embargo is down, and its children after that. They continue what their owner
// carries, so that nobody refuses them.
func TestWhatArrivedDuringAnOutageIsReportedAtOnce(t *testing.T) {
	s := setUp(t)
	s.applyFile(t, `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.outage.example.com}
spec:
  group: outage.example.com
  names: {plural: gadgets, singular: gadget, kind: Gadget, listKind: GadgetList}
  scope: Namespaced
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, x-kubernetes-preserve-unknown-fields: true}}}}}
`)
	gadget := func(name string) error {
		cmd := s.plane.Kubectl(t.Context(), "create", "-f", "-")
		cmd.Stdin = strings.NewReader("apiVersion: outage.example.com/v1\nkind: Gadget\nmetadata: {name: " + name + ", namespace: default}\n" +
			"spec: {template: {spec: {containers: [{name: c, image: \"" + restricted + "\"}]}}}\n")
		output, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, output)
		}
		return nil
	}
	poll(t, recovery, func() bool {
		err := gadget("refused")
		if err == nil {
			s.kubectl(t, "delete", "gadget", "refused")
		}
		return err != nil && strings.Contains(err.Error(), "refused by cluster policy")
	})
	require.NoError(t, s.replica.Stop())
	require.NoError(t, gadget("slipped"), "this entry fails open")
	s.start(t)
	uid := s.kubectl(t, "get", "gadget", "slipped", "-o", "jsonpath={.metadata.uid}")
	poll(t, recovery, func() bool { // until the API server asks this replica
		cmd := s.plane.Kubectl(t.Context(), "apply", "-f", "-")
		cmd.Stdin = strings.NewReader(fmt.Sprintf(`
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: slipped
  namespace: default
  ownerReferences: [{apiVersion: outage.example.com/v1, kind: Gadget, name: slipped, uid: %s, controller: true}]
spec:
  replicas: 1
  selector: {matchLabels: {app: slipped}}
  template: {metadata: {labels: {app: slipped}}, spec: {containers: [{name: c, image: %q}]}}
`, uid, restricted))
		return cmd.Run() == nil
	})
	s.awaitPods(t, "app=slipped", 1)
	began := time.Now()
	poll(t, recovery, func() bool {
		output, err := s.try(t, "get", "vendorreport", "kaspersky", "-o", "jsonpath={.findings[0].workload.kind}/{.findings[0].workload.name} {.findings[0].arrivedAfterBan}")
		return err == nil && output == "Gadget/slipped true"
	})
	poll(t, recovery, func() bool {
		events := s.kubectl(t, "get", "events", "--field-selector=involvedObject.kind=Gadget,reason=RestrictedImage", "-o", "jsonpath={.items[*].message}")
		return strings.Contains(events, "arrived after the ban: ")
	})
	t.Logf("reported %s after its Pod", time.Since(began).Round(100*time.Millisecond))
	assert.Regexp(t, `\nembargo_findings_arrived_after_ban\{restriction="[a-z-]+",vendor="kaspersky"\} 1\n`, s.metrics(t))
}

// TestARefusalLeavesATrace in the log and in a counter, and a dry run leaves none.
func TestARefusalLeavesATrace(t *testing.T) {
	s := setUp(t)
	for range 3 {
		require.True(t, s.refuses(t)) // dry runs
	}
	assert.NotContains(t, s.metrics(t), `embargo_restricted_requests_total{action="Deny"`)
	_, err := s.try(t, "run", "tried", "--image="+restricted)
	require.Error(t, err)
	assert.Regexp(t, `\nembargo_restricted_requests_total\{action="Deny",restriction="[a-z-]+",use="Introduce",vendor="kaspersky"\} 1\n`, s.metrics(t))
	lines := 0
	for line := range strings.Lines(s.logged(t)) {
		if strings.Contains(line, "restricted image refused") {
			lines++
			assert.Contains(t, line, "level=INFO")
			assert.Contains(t, line, "name=tried")
			assert.Contains(t, line, restricted)
		}
	}
	assert.Equal(t, 1, lines)
	for _, metric := range []string{"embargo_build_info{version=", "embargo_certificate_expiry_timestamp_seconds 1"} {
		assert.Contains(t, s.metrics(t), "\n"+metric)
	}
}
