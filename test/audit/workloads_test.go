package audit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/policies/v1alpha1"
)

// TestTheOfficersQuestionIsAnswered makes workloads of several kinds while that is
// allowed, then restricts their vendor.
func TestTheOfficersQuestionIsAnswered(t *testing.T) {
	ns := namespace(t)
	vendor(t, "officer", allowed)
	const image = "registry.officer.example/agent:1"
	must(t, "-n", ns, "create", "deployment", "agent", "--image="+image, "--replicas=3")
	must(t, "-n", ns, "create", "cronjob", "nightly", "--image="+image, "--schedule=0 0 1 1 *")
	must(t, "-n", ns, "create", "job", "now", "--from=cronjob/nightly")
	must(t, "-n", ns, "create", "deployment", "web", "--image=nginx")
	require.Eventually(t, func() bool {
		return len(strings.Fields(must(t, "-n", ns, "get", "pods", "-l", "app=agent", "-o", "name"))) == 3
	}, 20*time.Second, 100*time.Millisecond)
	vendor(t, "officer", prohibited)

	r := await(t, ns, "officer", func(r *v1alpha1.VendorReport) bool { return r.Summary.Workloads == 2 })
	t.Log(must(t, "get", "vr", "-A", "-o", "wide"))
	t.Log(must(t, "-n", ns, "get", "vr", "officer", "-o", "yaml"))
	t.Log(must(t, "get", "rv,vp,vw"))
	byKind := map[string]v1alpha1.ReportedFinding{}
	for _, f := range r.Findings {
		byKind[f.Workload.Kind] = f
	}
	assert.Len(t, r.Findings, 2, "a Deployment with three Pods is one workload, and so is a CronJob with its Job")
	assert.EqualValues(t, 3, byKind["Deployment"].Pods)
	assert.Equal(t, v1alpha1.SinceReplicaSet, byKind["Deployment"].SinceFrom)
}
