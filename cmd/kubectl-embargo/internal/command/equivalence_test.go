package command_test

import (
	"cmp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"embargo.dev/policies"
	"embargo.dev/test/scenario"
)

const scenarios = "../../../../policies/testdata/scenarios"

// TestManifestsDecideAsTheWebhook runs every scenario that manifests can express
// through check, with what the webhook would find in the cluster given by --old.
func TestManifestsDecideAsTheWebhook(t *testing.T) {
	all, err := scenario.Load(scenarios)
	require.NoError(t, err)
	compared := 0
	for _, s := range all {
		if !expressible(s) {
			continue
		}
		compared++
		t.Run(s.Name(scenarios), func(t *testing.T) {
			rules, _ := s.RuleSet()
			request, err := s.Request()
			require.NoError(t, err)
			instant, err := s.Instant()
			require.NoError(t, err)
			want := rules.Evaluate(request, instant)
			list, policy := ruleFiles(t, s)
			manifests := documents(t, append(namespaceOf(s), &s.Object))
			args := []string{"check", "-f", write(t, "new.yaml", manifests), "--as-of", s.At, "--list", list, "--policy", policy, "--old", before(t, s)}
			got, a := runJSON(t, "", args...)
			assert.Equal(t, rules.Digest(), got.RuleSet)
			assert.Equal(t, map[bool]int{true: 1, false: 0}[want.Denied()], a.code, a.stderr)
			var findings []policies.Finding
			for _, f := range got.Findings {
				findings = append(findings, f.Finding)
			}
			assert.Equal(t, comparable(t, want.Findings), comparable(t, findings))
		})
	}
	t.Logf("%d of %d scenarios", compared, len(all))
	assert.Greater(t, 10*compared, 9*len(all), "nearly all can be expressed")
}

// expressible leaves out what no manifest says: another request than one to write an
// object, and a user whose word counts.
func expressible(s *scenario.Scenario) bool {
	_, mirrorPod := s.Object.GetAnnotations()["kubernetes.io/config.mirror"]
	return s.Operation != policies.Delete && s.Subresource == "" && !s.Trusted && !mirrorPod &&
		s.Namespace.Name == cmp.Or(s.Object.GetNamespace(), "default")
}

// namespaceOf is the namespace, where it is known.
func namespaceOf(s *scenario.Scenario) []*unstructured.Unstructured {
	return s.Surroundings()[len(s.Carriers()):]
}

// before is a folder with the object as it was, and its carriers.
func before(t *testing.T, s *scenario.Scenario) string {
	t.Helper()
	objects := s.Carriers()
	if s.Old != nil {
		old := s.Old.DeepCopy()
		if old.GetName() == "" {
			old.SetName(s.Object.GetName())
		}
		objects = append(objects, old)
	}
	return write(t, "old.yaml", documents(t, objects))
}

func TestTheUseIsDecidedByWhatWasThere(t *testing.T) {
	old := write(t, "old.yaml", deployment)
	for label, c := range map[string]struct {
		manifest string
		use      policies.Use
		code     int
	}{
		"unchanged":                    {deployment, policies.UseContinue, 0},
		"digest added to the tag":      {deploymentWith(`:2.1"`, `:2.1@sha256:`+sha+`"`), policies.UseContinue, 0},
		"another tag":                  {deploymentWith(":2.1", ":2.2"), policies.UseUpdate, 1},
		"another product of theirs":    {deploymentWith("httpd", "icapd"), policies.UseIntroduce, 1},
		"another object":               {deploymentWith("name: av", "name: other"), policies.UseIntroduce, 1},
		"another namespace":            {deploymentWith("namespace: mail", "namespace: web"), policies.UseIntroduce, 1},
		"another container":            {deploymentWith("name: scanner", "name: renamed"), policies.UseContinue, 0},
		"an earlier version of a kind": {deploymentWith("apps/v1", "extensions/v1beta1"), policies.UseContinue, 0},
	} {
		t.Run(label, func(t *testing.T) {
			r, a := runJSON(t, c.manifest, "check", "-f", "-", "--old", old, "--as-of", "2024-10-01")
			assert.Equal(t, c.code, a.code, a.stderr)
			require.Len(t, r.Findings, 1)
			assert.Equal(t, c.use, r.Findings[0].Use)
		})
	}
}

func TestOneWayToSayTheUse(t *testing.T) {
	for label, c := range map[string]struct {
		args []string
		says string
	}{
		"two ways":            {[]string{"-f", "-", "--use", "Update", "--old", "x"}, "exclude one another"},
		"with a review":       {[]string{"--review", "r.json", "--old", "x"}, "go with manifests"},
		"empty":               {[]string{"-f", "-", "--old", ""}, "--old: want a file or a folder"},
		"missing":             {[]string{"-f", "-", "--old", "/nonexistent"}, "no such file"},
		"a cluster for later": {[]string{"-f", "-", "--context", "x"}, "--context goes with --against-cluster"},
	} {
		t.Run(label, func(t *testing.T) {
			a := run(t, "", append([]string{"check"}, c.args...)...)
			assert.Equal(t, 2, a.code)
			assert.Contains(t, a.stderr, c.says)
		})
	}
}

func TestAClusterOutOfReachIsSaidOnce(t *testing.T) {
	config := write(t, "kubeconfig", `{apiVersion: v1, kind: Config, current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}], clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}], users: [{name: u}]}`)
	r, a := runJSON(t, deployment+"---\n"+deploymentWith("name: av", "name: other"), "check", "-f", "-", "--against-cluster", "--kubeconfig", config)
	assert.Equal(t, 3, a.code, a.stderr)
	assert.Len(t, r.Findings, 2, "the rest is still told")
	assert.Contains(t, a.stderr, "what isn't given is assumed")
	assert.Len(t, r.Errors, 1)
	for _, args := range [][]string{{"export"}, {"explain", "--resources"}, {"version"}, {"audit", "-A"}, {"audit", "-n", "a,b"}, {"forecast"}} {
		a := run(t, "", append(args, "--kubeconfig", config)...)
		assert.Equal(t, 3, a.code, "%v: %s", args, a.stderr)
		var errs []string
		for line := range strings.Lines(a.stderr) {
			if !strings.HasPrefix(line, "notice: ") {
				errs = append(errs, line)
			}
		}
		assert.Equal(t, []string{"error: cluster c: can't be reached at http://127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused\n"}, errs, "%v", args)
	}
	a = run(t, "", "check", "-f", "-", "--against-cluster", "--kubeconfig", "/nonexistent")
	assert.Equal(t, 3, a.code, a.stderr)
}
