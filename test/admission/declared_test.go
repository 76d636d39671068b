package admission_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// declare writes the ConfigMap as a chart would.
func declare(t *testing.T, entries map[string]string) {
	t.Helper()
	var manifest strings.Builder
	manifest.WriteString("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: embargo-list, namespace: embargo-system}\ndata:\n")
	for key, object := range entries {
		manifest.WriteString("  " + key + ": |\n    " + strings.ReplaceAll(strings.TrimSpace(object), "\n", "\n    ") + "\n")
	}
	if len(entries) == 0 {
		manifest.WriteString("  {}\n")
	}
	output, err := kubectlWith(t, manifest.String(), "apply", "--server-side", "--force-conflicts", "-f", "-")
	require.NoError(t, err, output)
}

func vendorYAML(name, display string) string {
	return `apiVersion: embargo.dev/v1alpha1
kind: RestrictedVendor
metadata: {name: ` + name + `}
spec:
  displayName: ` + display + `
  images: {repositories: [{pattern: "registry.` + name + `.example/**"}]}
  restrictions:
    - name: us
      authority: Example Authority
      citations: [{title: Example, url: "https://example.com"}]
      audience: us-persons
      timeZone: Etc/UTC
      schedule: [{phase: banned, effective: "2020-01-01", introduce: Deny, update: Deny, continue: Warn}]`
}

func displayName(t *testing.T, vendor string) string {
	t.Helper()
	output, err := kubectl(t, "get", "rv", vendor, "--ignore-not-found", "-o", "jsonpath={.spec.displayName}")
	require.NoError(t, err, output)
	return output
}

func eventually(t *testing.T, condition func() bool, message string) {
	t.Helper()
	require.Eventually(t, condition, 20*time.Second, 100*time.Millisecond, message)
}

// gauges returns the value that each replica tells.
func gauges(t *testing.T, metric string) []float64 {
	t.Helper()
	var values []float64
	for _, r := range stage.Replicas {
		response, err := http.Get(r.Metrics)
		require.NoError(t, err)
		defer response.Body.Close() //nolint:errcheck // read only
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(response.Body)
		require.NoError(t, err)
		for _, sample := range families[metric].GetMetric() {
			values = append(values, sample.GetGauge().GetValue())
		}
	}
	return values
}

func events(t *testing.T) string {
	t.Helper()
	return must(t, "-n", "embargo-system", "get", "events", "--field-selector=involvedObject.name=embargo-list", "-o", `jsonpath={range .items[*]}{.message}{"\n"}{end}`)
}

func TestWhatTheValuesDeclareIsAppliedAndPruned(t *testing.T) {
	t.Cleanup(func() { must(t, "-n", "embargo-system", "delete", "configmap", "embargo-list", "--ignore-not-found") })
	ns := namespace(t)
	apply(t, vendorYAML("declared-owned", "Owned"))
	t.Cleanup(func() { must(t, "delete", "rv", "declared-owned") })
	declare(t, map[string]string{
		"restrictedvendor.declared-a.yaml":        vendorYAML("declared-a", "First"),
		"restrictedvendor.declared-b.yaml":        vendorYAML("declared-b", "Second"),
		"restrictedvendor.declared-misspelt.yaml": strings.Replace(vendorYAML("declared-misspelt", "Third"), "images:", "imges:", 1),
		"restrictedvendor.declared-nowhere.yaml":  strings.Replace(vendorYAML("declared-nowhere", "Fourth"), "Etc/UTC", "Etc/Nowhere", 1),
		"restrictedvendor.declared-owned.yaml":    vendorYAML("declared-owned", "Taken"),
	})
	eventually(t, func() bool {
		return displayName(t, "declared-a") == "First" && displayName(t, "declared-b") == "Second"
	}, "they are applied")
	assert.Equal(t, "values", must(t, "get", "rv", "declared-a", "-o", `jsonpath={.metadata.labels.embargo\.dev/list}`))
	assert.Contains(t, must(t, "get", "rv", "declared-a", "-o", "jsonpath={.metadata.managedFields[*].manager}", "--show-managed-fields"), "embargo-values")
	eventually(t, func() bool {
		output, err := kubectl(t, "-n", ns, "run", "bad", "--image=registry.declared-a.example/x", "--dry-run=server")
		return err != nil && strings.Contains(output, "First image")
	}, "they are enforced")

	// What can't be applied is told, with its key, and nothing of somebody else's changes.
	eventually(t, func() bool {
		told := events(t)
		return strings.Contains(told, `restrictedvendor.declared-misspelt.yaml: reading the object: unknown field "spec.imges"`) &&
			strings.Contains(told, "restrictedvendor.declared-nowhere.yaml: ") && strings.Contains(told, "spec.restrictions[0].timeZone") &&
			strings.Contains(told, `restrictedvendor.declared-owned.yaml: RestrictedVendor "declared-owned" is there already, written by kubectl-client-side-apply, and is left as it is`)
	}, "events name the entries")
	assert.Equal(t, "Owned", displayName(t, "declared-owned"))
	eventually(t, func() bool { return slices.Contains(gauges(t, "embargo_declared_problems"), 3) }, "a metric of the leader's counts them")

	// A changed value is followed; one that somebody changed by hand stays theirs.
	must(t, "patch", "rv", "declared-b", "--type=merge", `-p={"spec":{"displayName":"By hand"}}`)
	declare(t, map[string]string{
		"restrictedvendor.declared-a.yaml": vendorYAML("declared-a", "Changed"),
		"restrictedvendor.declared-b.yaml": vendorYAML("declared-b", "Changed too"),
	})
	eventually(t, func() bool { return displayName(t, "declared-a") == "Changed" }, "a changed value is followed")
	eventually(t, func() bool {
		return strings.Contains(events(t), "declared-b.yaml: somebody changed it, and it is left as it is")
	}, "a conflict is told")
	assert.Equal(t, "By hand", displayName(t, "declared-b"))

	// What goes from the values is deleted, but for what somebody changed.
	declare(t, nil)
	eventually(t, func() bool { return displayName(t, "declared-a") == "" }, "what went is deleted")
	eventually(t, func() bool {
		return strings.Contains(events(t), `RestrictedVendor "declared-b" is no longer in the values and stays`)
	}, "what stays is told")
	assert.Equal(t, "By hand", displayName(t, "declared-b"))
	must(t, "delete", "rv", "declared-b")
}

func TestWithoutTheConfigMapNothingIsDeleted(t *testing.T) {
	declare(t, map[string]string{"restrictedvendor.declared-c.yaml": vendorYAML("declared-c", "Kept")})
	eventually(t, func() bool { return displayName(t, "declared-c") == "Kept" }, "it is applied")
	must(t, "-n", "embargo-system", "delete", "configmap", "embargo-list")
	apply(t, vendorYAML("declared-d", "Wakes the loop"))
	assert.Never(t, func() bool { return displayName(t, "declared-c") == "" }, 3*time.Second, 500*time.Millisecond)
	must(t, "delete", "rv", "declared-c", "declared-d")
}
