package audit

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"embargo.dev/audit/exposure"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

func TestADeploymentWithManyPodsIsOneWorkload(t *testing.T) {
	c := newCluster(t, later)
	d := deployment("av", agent, announced)
	rs := replicaSet("av-1", agent, announced.Add(time.Hour), d, 500)
	c.list(d, rs)
	c.list(pods(500, rs, agent, ban)...)
	f := c.one()
	assert.Equal(t, exposure.Workload{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "mail", Name: "av", UID: "uid-av"}, f.Workload)
	assert.Equal(t, 500, f.Pods)
	assert.Equal(t, "spec.template.spec.containers[0].image", f.Field)
	assert.Equal(t, v1alpha1.ActionWarn, f.Action)
	assert.Equal(t, policies.UseContinue, f.Use)
	assert.Equal(t, v1alpha1.SinceReplicaSet, f.SinceFrom)
	assert.Equal(t, announced.Add(time.Hour), f.Since)
	assert.False(t, f.ArrivedAfterBan)
	assert.Equal(t, v1alpha1.ActionWarn, f.RestartAction, "its ReplicaSet carries the image")
	assert.Empty(t, f.RestartOwner)
	assert.Equal(t, v1alpha1.AdmissionCouldSee, f.Admission)
}

func TestWhatADeploymentWasIsHistory(t *testing.T) {
	c := newCluster(t, later)
	d := deployment("av", "nginx", announced)
	c.list(d, replicaSet("av-1", agent, announced, d, 0), replicaSet("av-2", "nginx", ban, d, 1))
	assert.Empty(t, c.look(), "a ReplicaSet without Pods only remembers")
	c.list(replicaSet("av-1", agent, announced, d, 1))
	f := c.one()
	assert.Equal(t, "Deployment", f.Workload.Kind)
	assert.Equal(t, "ReplicaSet/av-1", f.Carrier)

	d.Spec.Template = template(agent)
	c.list(d, replicaSet("av-1", agent, announced, d, 0), replicaSet("av-2", agent, ban, d, 1))
	assert.Equal(t, announced, c.one().Since, "but it tells since when")
}

func TestSetsJobsAndTheirRevisions(t *testing.T) {
	c := newCluster(t, later)
	set := &appsv1.StatefulSet{ObjectMeta: about("db", announced, nil), Spec: appsv1.StatefulSetSpec{Template: template("nginx")}}
	revision := &appsv1.ControllerRevision{ObjectMeta: about("db-1", announced, set)}
	revision.Data = runtime.RawExtension{Raw: []byte(`{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"` + agent + `"}]}}}}`)}
	c.list(set, revision)
	assert.Empty(t, c.look(), "a revision alone is history")
	c.list(pod(about("db-0", ban, set), agent))
	f := c.one()
	assert.Equal(t, "StatefulSet", f.Workload.Kind)
	assert.Equal(t, v1alpha1.SinceControllerRevision, f.SinceFrom)
	assert.Equal(t, v1alpha1.ActionWarn, f.RestartAction, "the revision carries the image")

	cron := &batchv1.CronJob{ObjectMeta: about("nightly", announced, nil)}
	cron.Spec.JobTemplate.Spec.Template = template(agent)
	job := &batchv1.Job{ObjectMeta: about("nightly-1", ban, cron), Spec: batchv1.JobSpec{Template: template(agent)}}
	ended := pod(about("nightly-1-x", ban, job), agent)
	ended.Status.Phase = corev1.PodSucceeded
	c = newCluster(t, later)
	c.list(cron, job, ended)
	f = c.one()
	assert.Equal(t, "CronJob", f.Workload.Kind)
	assert.Zero(t, f.Pods, "it has ended")
	assert.Equal(t, v1alpha1.SincePod, f.SinceFrom)
}

func TestOwnersWhoseChildrenWouldBeRefusedAreNamed(t *testing.T) {
	c := newCluster(t, later)
	operator := schema.GroupVersionKind{Group: "kafka.example.com", Version: "v1", Kind: "Broker"}
	for _, name := range []string{"b-0", "b-1"} {
		c.list(pod(ownedBy(about(name, announced, nil), operator, "b"), agent))
	}
	f := c.one()
	assert.Equal(t, exposure.Workload{APIVersion: "kafka.example.com/v1", Kind: "Broker", Namespace: "mail", Name: "b", UID: "uid-b"}, f.Workload,
		"what its children say is all that is known of it")
	assert.Equal(t, 2, f.Pods)
	assert.Equal(t, "Pod/b-0", f.Carrier)
	assert.Equal(t, v1alpha1.ActionWarn, f.Action)
	assert.Equal(t, v1alpha1.ActionDeny, f.RestartAction)
	assert.Equal(t, "Broker/b", f.RestartOwner)

	c = newCluster(t, later)
	d := deployment("web", "nginx", announced)
	rs := replicaSet("web-1", "nginx", announced, d, 1)
	injected := pod(about("web-1-x", announced, rs), "nginx")
	injected.Spec.Containers = append(injected.Spec.Containers, corev1.Container{Name: "injected", Image: agent})
	c.list(d, rs, injected)
	f = c.one()
	assert.Equal(t, "Deployment", f.Workload.Kind)
	assert.Equal(t, "Pod/web-1-x", f.Carrier)
	assert.Equal(t, "ReplicaSet/web-1", f.RestartOwner)
	assert.Equal(t, v1alpha1.ActionDeny, f.RestartAction)
}

// TestPodsThatTakeAWhileToEndAreTheirWorkloads has owners go before what they made.
func TestPodsThatTakeAWhileToEndAreTheirWorkloads(t *testing.T) {
	c := newCluster(t, later)
	d := deployment("av", agent, announced)
	rs := replicaSet("av-1", agent, announced, d, 1)
	c.list(d, rs)
	c.list(pods(1, rs, agent, announced)...)
	before := c.one().Workload
	c.inventory.Remove(rs.UID)
	assert.Equal(t, before, c.one().Workload, "the Deployment is still there")
	c.inventory.Remove(d.UID)
	f := c.one()
	assert.Equal(t, before, f.Workload)
	assert.True(t, f.Known)
	assert.Empty(t, f.News)
	assert.Equal(t, v1alpha1.ActionDeny, f.RestartAction, "nobody would make another")
}

// TestOwnersInACircleEnd has two ReplicaSets own each other, there and gone.
func TestOwnersInACircleEnd(t *testing.T) {
	c := newCluster(t, later)
	d := deployment("av", agent, announced)
	one, two := replicaSet("one", agent, announced, d, 1), replicaSet("two", agent, announced, d, 1)
	one.ObjectMeta, two.ObjectMeta = about("one", announced, two), about("two", announced, one)
	c.list(one, two)
	c.list(pods(1, one, agent, announced)...)
	assert.NotEmpty(t, c.look())
	c.inventory.Remove(one.UID)
	c.inventory.Remove(two.UID)
	assert.Len(t, c.look(), 1)
}

// TestAForgedOwnerIsNoOwner has Pods point to owners that admission would not find: in
// another namespace, under another name, of another kind.
func TestAForgedOwnerIsNoOwner(t *testing.T) {
	c := newCluster(t, later)
	elsewhere := deployment("av", agent, announced)
	elsewhere.Namespace = "post"
	renamed := pod(about("renamed", announced, elsewhere), agent)
	c.list(elsewhere, renamed)
	f := c.one()
	assert.Equal(t, "mail", f.Workload.Namespace, "the finding stays where the Pod is")
	assert.Equal(t, "Pod/renamed", f.Carrier)
	assert.Equal(t, v1alpha1.ActionDeny, f.RestartAction)
	assert.Equal(t, "Deployment/av", f.RestartOwner)

	elsewhere.Namespace = "mail"
	for name, forge := range map[string]func(*metav1.OwnerReference){
		"name": func(r *metav1.OwnerReference) { r.Name = "another" },
		"kind": func(r *metav1.OwnerReference) { r.Kind = "StatefulSet" },
	} {
		c = newCluster(t, later)
		forged := pod(about("forged", announced, elsewhere), agent)
		forge(&forged.OwnerReferences[0])
		c.list(elsewhere, forged)
		assert.Len(t, c.look(), 1, name)
		for _, f := range c.look() {
			if f.Pods > 0 {
				assert.Equal(t, v1alpha1.ActionDeny, f.RestartAction, name)
			}
		}
	}
}

// TestNothingThatAnObjectSaysIsTooMuchForAReport has it name an owner, and a runtime name
// a digest, of which the API server would refuse a report.
func TestNothingThatAnObjectSaysIsTooMuchForAReport(t *testing.T) {
	c := newCluster(t, later)
	long := strings.Repeat("x", 400)
	p := pod(ownedBy(about("p", announced, nil), schema.GroupVersionKind{Group: long, Version: "v1", Kind: long}, long), agent)
	c.list(running(p, "registry.acme.example/agent", "sha256:"+long))
	f := c.one()
	assert.Len(t, f.Workload.APIVersion, 317)
	assert.Len(t, f.Workload.Kind, 63)
	assert.Len(t, f.Workload.Name, 253)
	assert.Len(t, f.Workload.UID, 128)
	assert.Len(t, f.RestartOwner, 63+1+253)
	assert.Empty(t, f.Digests)
}

func TestAMirrorPodIsAWorkloadOfItsOwn(t *testing.T) {
	c := newCluster(t, later)
	static := pod(ownedBy(about("av-node-1", announced, nil), corev1.SchemeGroupVersion.WithKind("Node"), "node-1"), agent)
	static.Annotations = map[string]string{corev1.MirrorPodAnnotationKey: "abc"}
	static.Spec.NodeName = "node-1"
	c.list(static)
	f := c.one()
	assert.Equal(t, "Pod", f.Workload.Kind)
	assert.Equal(t, "node-1", f.Node)
	assert.Equal(t, v1alpha1.ActionWarn, f.RestartAction, "a kubelet's own copy is never refused")
	since := f.Since

	c.inventory.Remove(static.UID)
	c.now = c.now.Add(time.Hour)
	static.UID, static.CreationTimestamp.Time = "another", c.now
	c.list(static)
	assert.Equal(t, since, c.one().Since, "the copy comes and goes, the Pod stays")
}

func TestAListedDigestIsFoundUnderAnyName(t *testing.T) {
	c := newCluster(t, later)
	c.list(running(pod(about("copy", announced, nil), "harbor.example.com/tools/x:1"), "harbor.example.com/tools/x", digestOf("a")))
	f := c.one()
	assert.Equal(t, policies.EvidenceDigest, f.Evidence)
	assert.Equal(t, v1alpha1.AdmissionCouldNotSee, f.Admission)
	assert.Equal(t, "harbor.example.com/tools/x:1", f.Image)
	assert.Equal(t, "harbor.example.com/tools/x:1@"+digestOf("a"), f.AlsoNamed)
	assert.Equal(t, []string{digestOf("a")}, f.Digests)
	assert.Equal(t, v1alpha1.ActionAllow, f.RestartAction, "admission would not see it")
}

// TestARunningDigestIsSurerThanAName has an image that by its name is only suspected.
func TestARunningDigestIsSurerThanAName(t *testing.T) {
	c := newCluster(t, later)
	vendor := acme()
	vendor.Spec.Images.Repositories = append(vendor.Spec.Images.Repositories, v1alpha1.RepositoryPattern{Pattern: "**/acme/**", Confidence: v1alpha1.ConfidenceSuspected})
	c.restrict(policies.Source{Vendors: []v1alpha1.RestrictedVendor{vendor}, Policies: []v1alpha1.VendorPolicy{everywhere()}})
	copied := pod(about("copy", announced, nil), "harbor.example.com/acme/x")
	c.list(copied)
	f := c.one()
	assert.Equal(t, v1alpha1.ConfidenceSuspected, f.Confidence)
	assert.Equal(t, v1alpha1.AdmissionCouldSee, f.Admission)
	c.list(running(copied, "harbor.example.com/acme/x", digestOf("a")))
	f = c.one()
	assert.Equal(t, v1alpha1.ConfidenceConfirmed, f.Confidence)
	assert.Equal(t, policies.EvidenceDigest, f.Evidence)
	assert.Equal(t, v1alpha1.AdmissionCouldNotSee, f.Admission)
	assert.True(t, f.Known, "it is the same finding")
}

func TestANodeKnowsACopyByBothNames(t *testing.T) {
	c := newCluster(t, later)
	c.list(running(pod(about("copy", announced, nil), "harbor.example.com/tools/x:1"), "harbor.example.com/tools/x", digestOf("b")))
	assert.Empty(t, c.look())
	c.inventory.Dirty()
	images := [][]string{{"registry.acme.example/agent:1", "harbor.example.com/tools/x@" + digestOf("b"), "harbor.example.com/tools/x:1"}}
	c.inventory.PutNode("node-1", images)
	c.inventory.PutNode("node-2", images)
	assert.Equal(t, []string{"mail"}, c.inventory.Dirty())
	f := c.one()
	assert.Equal(t, policies.EvidenceReference, f.Evidence)
	assert.Equal(t, v1alpha1.AdmissionCouldNotSee, f.Admission)
	assert.Equal(t, "registry.acme.example/agent:1@"+digestOf("b"), f.AlsoNamed)
	c.inventory.PutNode("node-1", nil)
	assert.Len(t, c.look(), 1, "another node still knows")
	c.inventory.PutNode("node-2", nil)
	assert.Equal(t, []string{"mail"}, c.inventory.Dirty())
	assert.Empty(t, c.look())

	c = newCluster(t, later)
	c.list(running(pod(about("copy", announced, nil), "harbor.example.com/tools/x:1"), "registry.acme.example/agent", digestOf("b")))
	assert.Equal(t, v1alpha1.AdmissionCouldNotSee, c.one().Admission, "the Pod's status alone has both names")
}

func TestATagThatMovesIsAnUpdate(t *testing.T) {
	c := newCluster(t, later)
	p := pod(about("p", announced, nil), agent)
	c.list(running(p, "registry.acme.example/agent", digestOf("1")))
	assert.Empty(t, c.one().UpdatedFrom)
	c.list(running(p, "registry.acme.example/agent", digestOf("2")))
	for range 2 {
		f := c.one()
		assert.Equal(t, policies.UseUpdate, f.Use)
		assert.Equal(t, v1alpha1.ActionDeny, f.Action, "updates are refused")
		assert.Equal(t, digestOf("1"), f.UpdatedFrom)
		assert.Equal(t, agent, f.Image)
		assert.Equal(t, agent, f.Canonical)
	}
	c.list(running(p, "registry.acme.example/agent", digestOf("1")))
	assert.Empty(t, c.one().UpdatedFrom, "it moved back")

	c = newCluster(t, later)
	p = pod(about("p", announced, nil), agent+"@"+digestOf("1"))
	c.list(running(p, "registry.acme.example/agent", digestOf("1")))
	c.look()
	c.list(running(p, "registry.acme.example/agent", digestOf("2")))
	assert.Empty(t, c.one().UpdatedFrom, "a digest can't move; a runtime may call it otherwise")
}

func TestWhatIsUnreadableIsFoundToo(t *testing.T) {
	c := newCluster(t, later)
	c.list(pod(about("odd", announced, nil), "https://registry.acme.example/agent"))
	f := c.one()
	assert.Empty(t, f.Vendor)
	assert.Equal(t, policies.EvidenceUnparsable, f.Evidence)
	assert.Equal(t, v1alpha1.ActionWarn, f.Action)
	assert.Contains(t, f.Message, "can't be read")
}

func TestNamesThatAreNoneMeanNothing(t *testing.T) {
	c := newCluster(t, later)
	c.list(running(pod(about("p", announced, nil), "nginx:1"), "docker.io/library/nginx", digestOf("b")))
	c.inventory.PutNode("node-1", [][]string{{"<none>@" + digestOf("b"), "<none>:<none>", "docker.io/library/nginx:1"}})
	assert.Empty(t, c.inventory.Namespace("mail").Suspects, "it isn't even looked at")
}
