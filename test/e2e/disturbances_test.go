//go:build e2e && linux

package e2e

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"embargo.dev/test/load"
	"embargo.dev/test/node"
)

// disturbance is something that happens to installations.
type disturbance struct {
	name string
	// gentle ones leave a replica that answers at every moment.
	gentle bool
	do     func(*testing.T, installer)
}

var disturbances = []disturbance{
	{"rolling restart", true, func(t *testing.T, _ installer) {
		kubectl(t, "-n", namespace, "rollout", "restart", "deployment/embargo")
		kubectl(t, "-n", namespace, "rollout", "status", "deployment/embargo", "--timeout=90s")
	}},
	{"upgrade", true, func(t *testing.T, i installer) {
		i.upgrade(t, current(), "podAnnotations.upgraded=at-"+time.Now().Format("150405"))
	}},
	{"certificate deleted", true, func(t *testing.T, _ installer) {
		before := certificate(t)
		kubectl(t, "-n", namespace, "delete", "secret", secretName)
		// As the docs say. Helm 4 doesn't delete what isn't marked as the release's.
		kubectl(t, "-n", namespace, "create", "secret", "generic", secretName)
		kubectl(t, "-n", namespace, "label", "secret", secretName, "app.kubernetes.io/managed-by=Helm")
		kubectl(t, "-n", namespace, "annotate", "secret", secretName, "meta.helm.sh/release-name=embargo", "meta.helm.sh/release-namespace="+namespace)
		eventually(t, 60*time.Second, func() bool { c := certificate(t); return c != "" && c != before }, "there is a new certificate")
	}},
	{"certificate about to expire", true, func(t *testing.T, _ installer) {
		shorten(t)
	}},
	{"leader deleted", true, func(t *testing.T, _ installer) {
		kubectl(t, "-n", namespace, "delete", "pod", leader(t).Name, "--timeout=60s")
	}},
	{"leader killed", false, func(t *testing.T, _ installer) { kill(t, leader(t)) }},
	{"another replica killed", false, func(t *testing.T, _ installer) {
		leading := leader(t)
		for _, pod := range replicas(t) {
			if pod.Name != leading.Name {
				kill(t, &pod)
				return
			}
		}
		require.Fail(t, "there is no other replica")
	}},
	{"scaled to zero and back", false, func(t *testing.T, _ installer) {
		kubectl(t, "-n", namespace, "scale", "deployment/embargo", "--replicas=0")
		kubectl(t, "-n", namespace, "wait", "pods", "-l", "app.kubernetes.io/name=embargo", "--for=delete", "--timeout=60s")
		kubectl(t, "run", "meanwhile", "--image="+cleanImage)
		kubectl(t, "wait", "pod/meanwhile", "--for=condition=Ready", "--timeout=60s")
		kubectl(t, "delete", "pod", "meanwhile", "--timeout=60s")
		kubectl(t, "-n", namespace, "scale", "deployment/embargo", "--replicas=2")
		kubectl(t, "-n", namespace, "rollout", "status", "deployment/embargo", "--timeout=90s")
	}},
	{"nodes drained one after the other", true, func(t *testing.T, _ installer) {
		for _, n := range stage.cluster.Nodes {
			kubectl(t, "drain", n.Name, "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=90s")
			kubectl(t, "uncordon", n.Name)
		}
	}},
}

// kill ends a replica's process without asking it.
func kill(t *testing.T, pod *corev1.Pod) {
	t.Helper()
	processes, err := node.ProcessesOf(pod.Status.ContainerStatuses[0].ContainerID)
	require.NoError(t, err)
	require.Len(t, processes, 1, pod.Name)
	require.NoError(t, syscall.Kill(processes[0], syscall.SIGKILL))
	restarts := pod.Status.ContainerStatuses[0].RestartCount
	eventually(t, 60*time.Second, func() bool {
		for _, p := range replicas(t) {
			if p.Name == pod.Name && p.Status.ContainerStatuses[0].RestartCount > restarts {
				return true
			}
		}
		return false
	}, "kubelet starts it again")
}

// spell is the time that a disturbance took, until all was as before.
type spell struct {
	disturbance
	from, until time.Time
}

func TestEmbargoIsNeverTheReason(t *testing.T) {
	i := installer{stage.helms[4]}
	running := startLoad(t)
	i.install(t, current())
	begun := time.Now()
	var spells []spell
	for round := 1; round == 1 || time.Since(begun) < *duration; round++ {
		for _, d := range disturbances {
			s := spell{disturbance: d, from: time.Now()}
			d.do(t, i)
			eventually(t, 60*time.Second, func() bool { return len(replicas(t)) == 2 && decides(t.Context()) }, "all is as before: "+d.name)
			s.until = time.Now()
			spells = append(spells, s)
		}
	}
	ended := time.Now()
	i.remove(t)
	running.assertNeverTheReason(t, begun, ended)
	for _, s := range spells {
		s.assertAnswers(t, running.records)
	}
}

// assertAnswers tells what a disturbance did to requests that need an answer of the
// webhook. A gentle one costs next to nothing: HTTP may lose a request that is sent on a
// connection as that is closed.
func (s spell) assertAnswers(t *testing.T, all load.Records) {
	t.Helper()
	during := all.Between(s.from, s.until)
	unanswered := during.Where(func(r load.Record) bool { return r.Outcome == load.Closed })
	t.Logf("%-32s %5.1fs, %4d requests, %3d that needed an answer and got none", s.name, s.until.Sub(s.from).Seconds(), len(during), len(unanswered))
	if s.gentle && len(unanswered) > len(during)/100 {
		assertNone(t, s.name+": requests without an answer", unanswered)
	}
	assert.NotEmpty(t, during.Of(load.Clean), s.name)
}
