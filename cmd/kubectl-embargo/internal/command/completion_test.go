package command_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTheShellCompletesWords(t *testing.T) {
	for want, args := range map[string][]string{
		"kaspersky":  {"schedule", ""},
		"ics":        {"schedule", "-o", ""},
		"json":       {"check", "-o", ""},
		"Audit":      {"check", "--fail-on", ""},
		"Continue":   {"check", "--use", ""},
		"us-persons": {"check", "--audience", ""},
		"explain":    {"ex"},
		"bash":       {"completion", ""},
	} {
		a := run(t, "", append([]string{"__complete"}, args...)...)
		assert.Equal(t, 0, a.code)
		assert.Contains(t, a.stdout, want, "%v", args)
	}
	assert.NotContains(t, run(t, "", "__complete", "schedule", "kaspersky", "").stdout, "kaspersky", "it is named already")
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		a := run(t, "", "completion", shell)
		assert.Equal(t, 0, a.code)
		assert.Contains(t, a.stdout, "kubectl-embargo", shell)
	}
}

func TestCompletionWantsAKnownShell(t *testing.T) {
	for says, args := range map[string][]string{
		"want a shell: bash, fish, powershell, zsh": {"completion"},
		`unknown command "nosh"`:                    {"completion", "nosh"},
	} {
		a := run(t, "", args...)
		assert.Equal(t, 2, a.code, says)
		assert.Contains(t, a.stderr, says)
	}
}

func TestVersions(t *testing.T) {
	t.Setenv("KUBECONFIG", "/nonexistent")
	assert.Contains(t, run(t, "", "version").stdout, "Client Version: ")
	assert.Contains(t, run(t, "", "version", "--client", "-o", "json").stdout, `"gitVersion"`)
	assert.Contains(t, run(t, "", "version", "-o", "yaml").stdout, "clientVersion:\n")
	assert.Equal(t, 2, run(t, "", "version", "-o", "xml").code)
}
