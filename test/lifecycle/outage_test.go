package lifecycle_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/test/controlplane"
)

const (
	restricted = "kaspersky/scanengine_httpd:2.1"
	suspected  = "ghcr.io/kaspersky/agent:1"
)

// outages are the ways in which the API server can be without the controller's answer,
// and how each ends.
var outages = []struct {
	name       string
	begin, end func(t *testing.T, s *stage)
	answers    bool // late, but in time
}{
	{"stopped", func(t *testing.T, s *stage) { require.NoError(t, s.replica.Stop()) }, startAgain, false},
	{"killed", func(t *testing.T, s *stage) { require.NoError(t, s.replica.Kill()) }, startAgain, false},
	{"with a wrong certificate", blocked(toOthers), blocked(through), false},
	{"unreachable", blocked(nowhere), blocked(through), false},
	{"slow", blocked(slowly), blocked(through), true},
}

func startAgain(t *testing.T, s *stage) { s.start(t) }

func blocked(by way) func(*testing.T, *stage) {
	return func(_ *testing.T, s *stage) { s.obstacle.set(by) }
}

// TestAnOutageRefusesOnlySuspects takes the controller away in every way there is:
// clean workloads don't notice, what runs goes on, what people newly bring in that looks
// like a listed vendor's is refused, and all comes back by itself.
func TestAnOutageRefusesOnlySuspects(t *testing.T) {
	t.Parallel() // it mostly waits
	s := setUpOn(t, controlplane.Options{ControllerManager: true}, newObstacle(t))
	s.wasThereBefore(t)
	for _, o := range outages {
		t.Run(o.name, func(t *testing.T) {
			id := strings.ReplaceAll(o.name, " ", "-")
			o.begin(t, s)
			s.cleanGoesOn(t, id)
			s.restrictedGoesOn(t, id)
			s.embargoStarts(t, id)
			says := `failed calling webhook "introductions.embargo.dev"` // the API server's own words
			if o.answers {
				says = "refused by cluster policy"
			}
			s.nothingIsBroughtIn(t, id, says)
			o.end(t, s)
			s.comesBack(t)
		})
	}
}

// comesBack waits until the controller decides again.
func (s *stage) comesBack(t *testing.T) {
	t.Helper()
	last := ""
	for until := time.Now().Add(patience); time.Now().Before(until); {
		output, err := s.try(t, "run", "loose", "--image="+restricted)
		if err != nil && strings.Contains(output, "refused by cluster policy") {
			return
		}
		last = output
	}
	require.Fail(t, "it doesn't come back by itself", last)
}

// existing are the Deployments from before: refused today, waived, and suspected.
var existing = map[string]string{"agent": restricted, "waived": "kaspersky/scanengine_icapd:1", "lookalike": suspected}

// wasThereBefore makes the existing Deployments while the policy only warned.
func (s *stage) wasThereBefore(t *testing.T) {
	t.Helper()
	s.enforce(t, "Warn")
	for name, image := range existing {
		require.Eventually(t, func() bool {
			_, err := s.try(t, "create", "deployment", name, "--image="+image)
			return err == nil
		}, 15*time.Second, 200*time.Millisecond)
	}
	s.applyFile(t, `
apiVersion: embargo.dev/v1alpha1
kind: VendorWaiver
metadata: {name: waived}
spec: {vendor: kaspersky, namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: default}}, images: [kaspersky/scanengine_icapd], expires: "2099-01-01T00:00:00Z", reason: a test, approvedBy: the tests}
`)
	s.enforce(t, "Deny")
	require.Eventually(t, func() bool {
		_, err := s.try(t, "run", "probe", "--dry-run=server", "--image="+restricted)
		return err != nil
	}, 15*time.Second, 200*time.Millisecond)
	for name := range existing {
		s.awaitPods(t, "app="+name, 1)
	}
	assert.Equal(t, "True", s.kubectl(t, "get", "vendorpolicy", "default", "-o", `jsonpath={.status.conditions[?(@.type=="Prefiltered")].status}`))
}

func (s *stage) enforce(t *testing.T, ceiling string) {
	t.Helper()
	s.kubectl(t, "patch", "vendorpolicy", "default", "--type=merge", `-p={"spec":{"enforcement":"`+ceiling+`"}}`)
}

func (s *stage) awaitPods(t *testing.T, selector string, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		return len(strings.Fields(s.kubectl(t, "get", "pods", "-l", selector, "--field-selector=status.phase!=Failed", "-o", "name"))) >= n
	}, patience, 200*time.Millisecond, "%d Pods with %s", n, selector)
}

// patience is how long controllers may take. Where packets vanish, each of the few that
// work at a time waits five seconds for every Pod of a listed vendor that it makes.
const patience = 90 * time.Second

// clean is what a clean request may take: less than the five seconds that the API server
// would wait for the webhook.
const clean = 4 * time.Second

// cleanGoesOn brings in clean workloads, and what nodes do.
func (s *stage) cleanGoesOn(t *testing.T, id string) {
	t.Helper()
	begin := time.Now()
	for _, args := range [][]string{
		{"create", "deployment", "web-" + id, "--image=nginx:1.27"},
		{"run", "clean-" + id, "--image=registry.k8s.io/pause:3.9"},
		{"create", "job", "job-" + id, "--image=busybox:1.36"},
		{"create", "cronjob", "cron-" + id, "--image=busybox:1.36", "--schedule=0 0 1 1 *"},
		{"set", "image", "deployment/web-" + id, "nginx=nginx:1.28"},
		{"scale", "deployment", "web-" + id, "--replicas=2"},
	} {
		start := time.Now()
		s.kubectl(t, args...)
		assert.Less(t, time.Since(start), clean, "%q waits for nobody", args)
	}
	s.applyFile(t, fmt.Sprintf(`
apiVersion: v1
kind: Node
metadata: {name: node-%[1]s}
---
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: node-%[1]s, namespace: kube-node-lease}
spec: {holderIdentity: node-%[1]s}
`, id))
	s.kubectl(t, "label", "node", "node-"+id, "a=b")
	s.kubectl(t, "delete", "node", "node-"+id)
	s.awaitPods(t, "app=web-"+id, 2)
	t.Logf("clean requests took %s together", time.Since(begin).Round(time.Millisecond))
}

// restrictedGoesOn does to the existing workloads all that is no new use of an image.
func (s *stage) restrictedGoesOn(t *testing.T, id string) {
	t.Helper()
	for name := range existing {
		before := len(strings.Fields(s.kubectl(t, "get", "pods", "-l", "app="+name, "-o", "name")))
		s.kubectl(t, "scale", "deployment", name, fmt.Sprintf("--replicas=%d", before+1))
		s.awaitPods(t, "app="+name, before+1)
		s.kubectl(t, "label", "deployment", name, "--overwrite", "outage="+id)
		s.kubectl(t, "patch", "deployment", name, "--type=merge", `-p={"metadata":{"finalizers":["example.com/wait"]}}`)
		s.kubectl(t, "patch", "deployment", name, "--type=merge", `-p={"metadata":{"finalizers":null}}`)
	}
	s.kubectl(t, "rollout", "restart", "deployment", "agent")
	s.kubectl(t, "delete", "pods", "-l", "app=lookalike", "--wait=false")
	s.awaitPods(t, "app=lookalike", 1)

	// Deleting waits for nobody, not even where a finalizer has to go first.
	for set := range strings.FieldsSeq(s.kubectl(t, "get", "replicasets", "-l", "app=waived", "-o", "name")) {
		uid := func() string {
			return s.kubectl(t, "get", set, "--ignore-not-found", "-o", "jsonpath={.metadata.uid}")
		}
		before := uid()
		s.kubectl(t, "patch", set, "--type=merge", `-p={"metadata":{"finalizers":["example.com/wait"]}}`)
		s.kubectl(t, "delete", "--wait=false", set)
		s.kubectl(t, "patch", set, "--type=json", `-p=[{"op":"remove","path":"/metadata/finalizers"}]`)
		require.Eventually(t, func() bool { return uid() != before }, patience, 200*time.Millisecond)
	}
}

// embargoStarts installs and upgrades a workload in Embargo's own namespace.
func (s *stage) embargoStarts(t *testing.T, id string) {
	t.Helper()
	own := func(args ...string) { s.kubectl(t, append([]string{"-n", "embargo-system"}, args...)...) }
	s.applyFile(t, fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: embargo-%[1]s, namespace: embargo-system}
spec:
  selector: {matchLabels: {app: embargo-%[1]s}}
  template:
    metadata: {labels: {app: embargo-%[1]s}}
    spec:
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: embargo
          image: registry.example.com/embargo:v1
          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
`, id))
	own("set", "image", "deployment/embargo-"+id, "embargo=registry.example.com/embargo:v2")
	require.Eventually(t, func() bool {
		images := s.kubectl(t, "-n", "embargo-system", "get", "pods", "-l", "app=embargo-"+id, "-o", "jsonpath={.items[*].spec.containers[*].image}")
		return strings.Contains(images, "embargo:v2")
	}, patience, 200*time.Millisecond)
	own("delete", "deployment", "embargo-"+id)
}

// nothingIsBroughtIn tries what people may not do today, and what an outage leaves no
// one to decide.
func (s *stage) nothingIsBroughtIn(t *testing.T, id, says string) {
	t.Helper()
	for _, introduced := range [][]string{
		{"run", "loose-" + id, "--image=" + restricted},
		{"create", "deployment", "second-" + id, "--image=index.docker.io/kaspersky/scanengine_httpd:9"},
		{"set", "image", "deployment/web-" + id, "nginx=" + restricted},
		{"set", "image", "deployment/agent", "*=kaspersky/scanengine_httpd:9"},
		{"debug", "clean-" + id, "--image=" + restricted, "--container=dbg"},
	} {
		output, err := s.try(t, introduced...)
		require.Error(t, err, output)
		assert.Contains(t, output, says, "%q", introduced)
	}
	assert.NotContains(t, s.kubectl(t, "get", "pods,deployments", "-o", "name"), "loose-"+id)
}

// TestOneIdentityForAllControllers runs the controller manager with a single user: its
// controllers go on in an outage all the same.
func TestOneIdentityForAllControllers(t *testing.T) {
	s := setUpOn(t, controlplane.Options{
		ControllerManager: true, ControllerManagerFlags: []string{"--use-service-account-credentials=false"},
	}, nil)
	s.kubectl(t, "create", "clusterrolebinding", "controllers", "--clusterrole=cluster-admin", "--user=system:kube-controller-manager")
	s.wasThereBefore(t)
	require.NoError(t, s.replica.Stop())
	s.kubectl(t, "scale", "deployment", "agent", "--replicas=3")
	s.awaitPods(t, "app=agent", 3)
	_, err := s.try(t, "run", "loose", "--image="+restricted)
	require.Error(t, err)
}

// TestCleanRequestsNeverLeaveTheAPIServer counts what the webhook is asked.
func TestCleanRequestsNeverLeaveTheAPIServer(t *testing.T) {
	s := setUp(t)
	count := func() int {
		n := 0
		for line := range strings.Lines(s.kubectl(t, "get", "--raw", "/metrics")) {
			if strings.HasPrefix(line, "apiserver_admission_webhook_request_total") && strings.Contains(line, "introductions.embargo.dev") {
				n++
			}
		}
		return n
	}
	s.kubectl(t, "create", "deployment", "web", "--image=nginx:1.27", "--replicas=3")
	s.kubectl(t, "run", "clean", "--image=docker.io/library/redis:7@sha256:"+strings.Repeat("a", 64))
	s.kubectl(t, "scale", "deployment", "web", "--replicas=5")
	assert.Zero(t, count())
	_, err := s.try(t, "run", "bad", "--image="+restricted)
	require.Error(t, err)
	assert.Positive(t, count())
}
