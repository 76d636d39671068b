package command_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// nowhere is a kubeconfig that names a cluster out of reach.
const nowhere = `
apiVersion: v1
kind: Config
clusters: [{name: away, cluster: {server: "https://127.0.0.1:1"}}]
contexts: [{name: away, context: {cluster: away, user: nobody}}]
users: [{name: nobody, user: {}}]
current-context: away
`

func TestUsageOfLiveCommandsIsChecked(t *testing.T) {
	for says, args := range map[string][]string{
		`-o "sarif": a live cluster has no files and lines`: {"audit", "-o", "sarif"},
		`-o "xml": want one of table, wide, json`:           {"audit", "-o", "xml"},
		`-o "xml": want one of table, wide, json, yaml, j`:  {"forecast", "-o", "xml"},
		"--namespace and --all-namespaces exclude":          {"audit", "-A", "-n", "mail"},
		"--namespace: want the name of a namespace":         {"audit", "-n", ""},
		"--context: want the name of a context":             {"audit", "--context", ""},
		`--context "a": given twice`:                        {"audit", "--context", "a,b", "--context", "a"},
		`--fail-on "Never": want one of Deny`:               {"audit", "--fail-on", "Never"},
		"--as-of":                                           {"audit", "--as-of", "2024-13-01"},
		"--until":                                           {"forecast", "--until", "soon"},
		"--until 2024-01-01: want a later instant":          {"forecast", "--as-of", "2024-01-02", "--until", "2024-01-01"},
	} {
		a := run(t, "", args...)
		assert.Equal(t, 2, a.code, says)
		assert.Contains(t, a.stderr, says)
		assert.Empty(t, a.stdout, says)
	}
}

func TestAClusterOutOfReachIsNamed(t *testing.T) {
	kubeconfig := write(t, "kubeconfig", nowhere)
	for _, command := range []string{"audit", "forecast"} {
		a := run(t, "", command, "--kubeconfig", kubeconfig)
		assert.Equal(t, 3, a.code, a.stderr)
		assert.Contains(t, a.stderr, "error: cluster away: ")
		assert.NotContains(t, a.stderr, "assumed", "nothing rests on it")
	}
	r, a := runJSON(t, "", "audit", "--kubeconfig", kubeconfig)
	assert.Equal(t, 3, a.code)
	assert.Equal(t, "AuditResult", r.Kind)
	assert.False(t, r.Clusters[0].Complete)
}

func TestUnreadableRulesGoBeforeAClusterOutOfReach(t *testing.T) {
	kubeconfig := write(t, "kubeconfig", nowhere)
	list := write(t, "list.yaml", "kind: [")
	a := run(t, "", "audit", "--kubeconfig", kubeconfig, "--list", list)
	assert.Equal(t, 2, a.code, a.stderr)
	assert.Contains(t, a.stderr, list)
	assert.Contains(t, a.stderr, "cluster away")
}
