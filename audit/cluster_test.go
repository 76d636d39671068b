package audit

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"embargo.dev/audit/exposure"
	"embargo.dev/audit/inventory"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// The vendor acme is banned on ban; half a year before it was announced.
var (
	announced = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	ban       = time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC)
	later     = time.Date(2024, 9, 1, 0, 0, 0, 0, time.UTC)
)

const agent = "registry.acme.example/agent:1"

func digestOf(digit string) string { return "sha256:" + strings.Repeat(digit, 64) }

// acme is the vendor, which lists one digest.
func acme() v1alpha1.RestrictedVendor {
	phase := func(name string, at time.Time, introduce, update, goesOn v1alpha1.Action) v1alpha1.Phase {
		return v1alpha1.Phase{Phase: name, Effective: at.Format(time.RFC3339), Introduce: introduce, Update: update, Continue: goesOn}
	}
	return v1alpha1.RestrictedVendor{
		ObjectMeta: metav1.ObjectMeta{Name: "acme"},
		Spec: v1alpha1.RestrictedVendorSpec{
			DisplayName: "Acme",
			Images: v1alpha1.VendorImages{
				Repositories: []v1alpha1.RepositoryPattern{{Pattern: "registry.acme.example/**"}},
				Digests:      []string{digestOf("a")},
			},
			Restrictions: []v1alpha1.Restriction{{
				Name: "order", Authority: "the tests", Citations: []v1alpha1.Citation{{Title: "Order 1", URL: "https://example.com/1"}},
				Audience: "us-persons", TimeZone: "UTC", Schedule: []v1alpha1.Phase{
					phase("announced", announced, v1alpha1.ActionWarn, v1alpha1.ActionWarn, v1alpha1.ActionAudit),
					phase("banned", ban, v1alpha1.ActionDeny, v1alpha1.ActionDeny, v1alpha1.ActionWarn),
				},
			}},
		},
	}
}

func everywhere() v1alpha1.VendorPolicy {
	return v1alpha1.VendorPolicy{ObjectMeta: metav1.ObjectMeta{Name: "default"}, Spec: v1alpha1.VendorPolicySpec{Audiences: []string{"us-persons"}}}
}

func waiver(expires time.Time) v1alpha1.VendorWaiver {
	return v1alpha1.VendorWaiver{ObjectMeta: metav1.ObjectMeta{Name: "replacing"}, Spec: v1alpha1.VendorWaiverSpec{
		Vendor: "acme", Images: []string{"registry.acme.example/**"}, Expires: metav1.NewTime(expires), Reason: "r", ApprovedBy: "a",
		NamespaceSelector: metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: "mail"}},
	}}
}

// cluster is a cluster as the audit sees it.
type cluster struct {
	t         *testing.T
	inventory *inventory.Inventory
	rules     *policies.RuleSet
	now       time.Time
	last      time.Time // when everything was last looked at
	granted   time.Time // when the waivers were written
	memory    map[exposure.Key]exposure.Memory
}

func newCluster(t *testing.T, now time.Time, waivers ...v1alpha1.VendorWaiver) *cluster {
	t.Helper()
	c := &cluster{t: t, inventory: inventory.New(), memory: map[exposure.Key]exposure.Memory{}}
	c.restrict(policies.Source{Vendors: []v1alpha1.RestrictedVendor{acme()}, Policies: []v1alpha1.VendorPolicy{everywhere()}, Waivers: waivers})
	c.at(now)
	return c
}

func (c *cluster) restrict(source policies.Source) {
	rules, problems := policies.Compile(source)
	require.Empty(c.t, problems)
	c.rules = rules
	c.at(c.now)
}

// at lets it be another time.
func (c *cluster) at(now time.Time) {
	c.now = now
	c.inventory.Judge(exposure.Suspicious(c.rules, now))
}

// list has the audit find objects that were there before it.
func (c *cluster) list(objects ...client.Object) {
	for _, o := range objects {
		k := kindOf(c.t, o)
		s, ok := read(k, o)
		require.True(c.t, ok)
		c.inventory.Put(k, s, 1)
	}
}

// change has the audit see objects change.
func (c *cluster) change(objects ...client.Object) {
	for _, o := range objects {
		k := kindOf(c.t, o)
		s, ok := read(k, o)
		require.True(c.t, ok)
		c.inventory.PutChange(k, s, c.now)
	}
}

func kindOf(t *testing.T, o client.Object) *inventory.Kind {
	t.Helper()
	name := reflect.TypeOf(o).Elem().Name()
	for _, k := range builtin {
		if k.Kind == name {
			return k
		}
	}
	t.Fatalf("no kind %s", name)
	return nil
}

// look looks at the namespace mail and remembers what is found.
func (c *cluster) look() []*exposure.Finding {
	e := &exposure.Evaluator{Rules: c.rules, Inventory: c.inventory, Now: c.now, Last: c.last, Granted: func(string) time.Time { return c.granted }, Namespace: func(name string) policies.Namespace {
		return policies.Namespace{Name: name, Known: true}
	}}
	var parts []*inventory.Namespace
	if ns := c.inventory.Namespace("mail"); ns != nil {
		parts = append(parts, ns)
	}
	findings := e.InNamespace(parts, func(k exposure.Key, _ exposure.Workload) (exposure.Memory, bool) {
		m, ok := c.memory[k]
		return m, ok
	})
	for _, f := range findings {
		c.memory[f.Key()] = f.Remember(c.rules.Digest(), c.now, c.memory[f.Key()])
	}
	return findings
}

// one insists that there is one finding.
func (c *cluster) one() *exposure.Finding {
	c.t.Helper()
	findings := c.look()
	require.Len(c.t, findings, 1)
	return findings[0]
}

// told returns what is new of the one finding, and insists that nothing is told twice.
func (c *cluster) told() []exposure.News {
	c.t.Helper()
	news := c.one().News
	assert.Empty(c.t, c.one().News, "nothing is told twice")
	return news
}

// about is an object's metadata. The owner, where there is one, controls it.
func about(name string, created time.Time, owner client.Object) metav1.ObjectMeta {
	m := metav1.ObjectMeta{Namespace: "mail", Name: name, UID: types.UID("uid-" + name), CreationTimestamp: metav1.NewTime(created)}
	if owner != nil {
		kind := reflect.TypeOf(owner).Elem().Name()
		version := appsv1.SchemeGroupVersion
		if kind == "CronJob" || kind == "Job" {
			version = batchv1.SchemeGroupVersion
		}
		m.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(owner, version.WithKind(kind))}
	}
	return m
}

// ownedBy makes something of a kind that nobody watches the object's controller.
func ownedBy(m metav1.ObjectMeta, kind schema.GroupVersionKind, name string) metav1.ObjectMeta {
	owner := &metav1.ObjectMeta{Name: name, UID: types.UID("uid-" + name)}
	m.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(owner, kind)}
	return m
}

func template(image string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: image}}}}
}

func deployment(name, image string, created time.Time) *appsv1.Deployment {
	return &appsv1.Deployment{ObjectMeta: about(name, created, nil), Spec: appsv1.DeploymentSpec{Template: template(image)}}
}

func replicaSet(name, image string, created time.Time, owner *appsv1.Deployment, replicas int32) *appsv1.ReplicaSet {
	return &appsv1.ReplicaSet{
		ObjectMeta: about(name, created, owner), Spec: appsv1.ReplicaSetSpec{Replicas: &replicas, Template: template(image)},
		Status: appsv1.ReplicaSetStatus{Replicas: replicas},
	}
}

func pod(m metav1.ObjectMeta, image string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: m, Spec: template(image).Spec, Status: corev1.PodStatus{Phase: corev1.PodRunning}}
}

// running has a Pod run a digest, by a name.
func running(p *corev1.Pod, name, digest string) *corev1.Pod {
	p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "c", Image: name, ImageID: name + "@" + digest}}
	return p
}

func pods(n int, owner client.Object, image string, created time.Time) []client.Object {
	var all []client.Object
	for i := range n {
		all = append(all, pod(about(fmt.Sprintf("%s-%d", owner.GetName(), i), created, owner), image))
	}
	return all
}
