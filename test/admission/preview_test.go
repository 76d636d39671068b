package admission_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestWritingARuleSaysWhatItWouldDo writes a vendor, a policy and a waiver beside
// workloads that they are about.
func TestWritingARuleSaysWhatItWouldDo(t *testing.T) {
	ns := namespace(t)
	const image = "registry.foreseen.example/agent:1"
	for _, name := range []string{"a", "b", "c", "d"} {
		must(t, "-n", ns, "create", "deployment", name, "--image="+image)
	}
	must(t, "-n", ns, "create", "deployment", "web", "--image=nginx")

	coming := `{phase: announced, effective: "2020-01-01", introduce: Warn, update: Warn, continue: Audit}, ` +
		`{phase: stopped, effective: "2099-01-01", introduce: Deny, update: Deny, continue: Warn}`
	output, err := kubectlWith(t, vendor("foreseen", coming), "apply", "--dry-run=server", "-f", "-")
	require.NoError(t, err, output)
	assert.Regexp(t, `Warning: preview of what this does to workloads that are there \(\d+ workloads? looked at\):`, output)
	const four = "4 workloads in 1 namespace"
	assert.Contains(t, output, "Warning: now: updates warned about, restarts audited: "+four)
	assert.Contains(t, output, "Warning: from 2099-01-01T05:00:00Z: updates refused, restarts warned about: "+four)
	assert.NotContains(t, output, ns, "whoever asks may not be allowed to read workloads")
	assert.Contains(t, output, "kubectl embargo audit -A --list FILE")

	restrict(t, vendor("foreseen", coming))
	policy := "apiVersion: embargo.dev/v1alpha1\nkind: VendorPolicy\nmetadata: {name: foreseen}\nspec: {audiences: [us-persons], enforcement: Warn, leadTimeDays: 1, namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: " + ns + "}}}\n"
	output, err = kubectlWith(t, policy, "apply", "--dry-run=server", "-f", "-")
	require.NoError(t, err, output)
	assert.Contains(t, output, "now: updates warned about, restarts audited: "+four)
	assert.NotContains(t, output, "refused", "the policy's ceiling is Warn")

	waiver := "apiVersion: embargo.dev/v1alpha1\nkind: VendorWaiver\nmetadata: {name: foreseen}\nspec: {vendor: foreseen, namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: " + ns + "}}, images: [registry.foreseen.example/agent], expires: \"2098-01-01T00:00:00Z\", reason: r, approvedBy: a}\n"
	output, err = kubectlWith(t, waiver, "apply", "--dry-run=server", "-f", "-")
	require.NoError(t, err, output)
	assert.Contains(t, output, "now: updates audited, restarts audited: "+four)
	output, err = kubectlWith(t, strings.ReplaceAll(waiver, "example/agent", "example/other"), "apply", "--dry-run=server", "-f", "-")
	require.NoError(t, err, output)
	assert.Contains(t, output, "preview: no workload is affected")
	must(t, "delete", "restrictedvendor", "foreseen")
}
