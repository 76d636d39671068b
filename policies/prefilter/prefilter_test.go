package prefilter_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/version"
	"pgregory.net/rapid"

	"embargo.dev/policies"
	"embargo.dev/policies/catalog"
	"embargo.dev/policies/prefilter"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/policies/workload"
	"embargo.dev/test/condition"
	"embargo.dev/test/random"
)

// suspect is a condition on an object alone, whatever is done with it.
type suspect struct{ condition.Condition }

func compileCondition(t require.TestingT, expression string) suspect {
	return suspect{condition.Compile(t, expression)}
}

func (s suspect) holds(t require.TestingT, object, old runtime.Object) bool {
	return s.Holds(t, &admissionv1.AdmissionRequest{}, object, old)
}

func pod(images ...string) *corev1.Pod {
	p := &corev1.Pod{}
	for i, image := range images {
		p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: fmt.Sprint("c", i), Image: image})
	}
	return p
}

func vendor(patterns []string) v1alpha1.RestrictedVendor {
	v := v1alpha1.RestrictedVendor{ObjectMeta: metav1.ObjectMeta{Name: "acme"}, Spec: v1alpha1.RestrictedVendorSpec{
		DisplayName: "Acme", Restrictions: []v1alpha1.Restriction{{Name: "r", Audience: "us-persons", TimeZone: "UTC",
			Schedule: []v1alpha1.Phase{{Phase: "p", Effective: "2020-01-01", Introduce: "Deny", Update: "Deny", Continue: "Warn"}}}},
	}}
	for _, p := range patterns {
		v.Spec.Images.Repositories = append(v.Spec.Images.Repositories, v1alpha1.RepositoryPattern{Pattern: p})
	}
	return v
}

func ruleSet(patterns []string, mirrors ...v1alpha1.Mirror) *policies.RuleSet {
	policy := catalog.DefaultPolicy()
	policy.Spec.Mirrors = mirrors
	rules, _ := policies.Compile(policies.Source{Vendors: []v1alpha1.RestrictedVendor{vendor(patterns)}, Policies: []v1alpha1.VendorPolicy{policy}})
	return rules
}

func decide(t require.TestingT, rules *policies.RuleSet, kind schema.GroupKind, object any) policies.Decision {
	raw, err := json.Marshal(object)
	require.NoError(t, err)
	decoded, err := workload.Decode(kind, raw)
	require.NoError(t, err)
	return rules.Evaluate(policies.Request{Operation: policies.Create, Kind: kind, Namespace: policies.Namespace{Name: "n"}, Object: decoded}, policies.At(time.Now()))
}

var podKind = schema.GroupKind{Kind: "Pod"}

var (
	shards  = flag.Int("shards", 1, "how many searches TestSound runs at a time")
	objects = flag.Int("objects", 3, "how many objects TestSound tries with each rule set")
)

func init() {
	// What is promised is worth more than rapid's hundred tries.
	if err := flag.Set("rapid.checks", "10000"); err != nil {
		panic(err)
	}
}

// TestSound is the promise: prefilter false means no finding. It is searched for a
// counterexample with rule sets and workloads of all kinds; make soundness searches
// longer.
func TestSound(t *testing.T) {
	for shard := range *shards {
		t.Run(fmt.Sprint("shard ", shard), func(t *testing.T) {
			t.Parallel()
			var sound soundness
			rapid.Check(t, sound.check)
			t.Logf("%+v", sound)
			assert.Greater(t, sound.Found, sound.Objects*3/10, "the objects are to be worth the test")
			assert.Less(t, sound.Sent, sound.Objects, "a filter that sends everything is none")
		})
	}
}

// soundness counts what was tried.
type soundness struct{ RuleSets, TooBroad, Objects, Found, Unparsable, Sent int }

func (s *soundness) check(t *rapid.T) {
	list := random.NewList(t)
	p, err := prefilter.New(list.RuleSet)
	if err != nil {
		s.TooBroad++
		return
	}
	s.RuleSets++
	c := compileCondition(t, p.Expression)
	for range *objects {
		w := list.NewWorkload(t, "w")
		decision := decide(t, list.RuleSet, w.Kind.GroupKind(), w.Object)
		sent := c.holds(t, w.Object, nil)
		s.count(decision, sent)
		if len(decision.Findings) > 0 && !sent {
			t.Fatalf("%s has findings and would not be sent: %+v", w.Kind.Kind, decision.Findings)
		}
	}
}

// FuzzSound searches with texts that no generator thought of.
func FuzzSound(f *testing.F) {
	f.Add("reg.acme.io/**", "mirror.example.com/x", "reg.acme.io", "mirror.example.com/x/y:1")
	f.Add("docker.io/acme/a*", "quay.io/lib", "docker.io/acme", "quay.io/lib/agent@"+random.Digest)
	f.Add("**/zte/**", "m.daocloud.io", "docker.io", "m.daocloud.io/docker.io/zte/x")
	f.Add("*.acme.io/**@"+random.Digest, "docker.io", "eu.acme.io", "nginx\n")
	f.Add("docker.io/acme/a*:1.*", "mirror.example.com", "docker.io", "mirror.example.com/acme/agent:${TAG}")
	f.Fuzz(func(t *testing.T, pattern, prefix, upstream, image string) {
		rules := ruleSet([]string{pattern}, v1alpha1.Mirror{Prefix: prefix, Upstream: upstream})
		p, err := prefilter.New(rules)
		if err != nil || !utf8.ValidString(image) {
			return
		}
		object := pod("nginx:1.27", image)
		if d := decide(t, rules, podKind, object); len(d.Findings) > 0 {
			require.True(t, compileCondition(t, p.Expression).holds(t, object, nil), "%+v", d.Findings)
		}
	})
}

func (s *soundness) count(d policies.Decision, sent bool) {
	s.Objects++
	if len(d.Findings) > 0 {
		s.Found++
	}
	if slices.ContainsFunc(d.Findings, func(f policies.Finding) bool { return f.Evidence == policies.EvidenceUnparsable }) {
		s.Unparsable++
	}
	if sent {
		s.Sent++
	}
}

func builtin(t testing.TB) *policies.RuleSet {
	t.Helper()
	vendors, err := catalog.Vendors()
	require.NoError(t, err)
	rules, problems := policies.Compile(policies.Source{Vendors: vendors, Policies: []v1alpha1.VendorPolicy{catalog.DefaultPolicy()}})
	require.Empty(t, problems)
	return rules
}

func TestTheBuiltInListLetsCleanImagesBy(t *testing.T) {
	p, err := prefilter.New(builtin(t))
	require.NoError(t, err)
	t.Logf("%d tokens, up to %d characters of images\n%s", p.Tokens, p.MaxText, p.Expression)
	c := compileCondition(t, p.Expression)
	for _, clean := range []string{"nginx", "nginx:1.27", "registry.k8s.io/pause:3.9", "docker.io/library/redis", "quay.io/prometheus/node-exporter:v1.6.1",
		"gcr.io/kaniko-project/executor@sha256:" + strings.Repeat("0", 64), "localhost:5000/a/b:X-1", "ghcr.io/kumahq/kuma-cp", "mirror.gcr.io/library/nginx"} {
		assert.False(t, c.holds(t, pod(clean), nil), clean)
	}
	for _, suspect := range []string{"kaspersky/scanengine_httpd", "repo.kcs.kaspersky.com/images/scanner:v2", "m.daocloud.io/docker.io/kaspersky/x", "saferwall/gokaspersky",
		"", " ", "Nginx", "a//b", "nginx\nredis", "nginx redis", "ghcr.io/a/../b", "http://a/b", "é", strings.Repeat("a", 64), strings.Repeat("a", 241), "a:", "a@sha256:0"} {
		assert.True(t, c.holds(t, pod(suspect), nil), "%q", suspect)
	}
	assert.False(t, c.holds(t, nil, nil), "DELETE has no object")
	assert.False(t, c.holds(t, &corev1.Namespace{}, nil))
}

// TestFewCleanImagesAreSent measures on real names how many clean images the whole
// built-in list has sent.
func TestFewCleanImagesAreSent(t *testing.T) {
	rules := builtin(t)
	p, err := prefilter.New(rules)
	require.NoError(t, err)
	c := compileCondition(t, p.Expression)
	text, err := os.ReadFile("names.txt")
	require.NoError(t, err)
	var clean int
	var sent []string
	for name := range strings.Lines(string(text)) {
		name = strings.TrimSpace(name)
		if strings.HasPrefix(name, "#") || len(decide(t, rules, podKind, pod(name)).Findings) > 0 {
			continue
		}
		clean++
		if c.holds(t, pod(name), nil) {
			sent = append(sent, name)
		}
	}
	t.Logf("%d of %d clean images sent: %q", len(sent), clean, sent)
	assert.GreaterOrEqual(t, clean, 1000)
	assert.LessOrEqual(t, len(sent)*1000, clean, "at most 0.1 %%: %q", sent)
}

// TestShortNamesAreWholeWords uses a name that is part of many others.
func TestShortNamesAreWholeWords(t *testing.T) {
	p, err := prefilter.New(ruleSet([]string{"docker.io/zte/**", "**/ui/**", "docker.io/sam*", "docker.io/acme/*hub"}))
	require.NoError(t, err)
	c := compileCondition(t, p.Expression)
	for image, sent := range map[string]bool{
		"zte/x": true, "docker.io/zte/x": true, "m.daocloud.io/docker.io/zte/x": true, "quay.io/zte/x": true,
		"aztec/x": false, "x/zte-x": false, "x/zte_x": false, "x/x.zte": false, "zte.example.com/x/y": false,
		"quay.io/a/ui/b": true, "quay.io/build/b": false, "sam": true, "samples/x": true, "library/sample:1": true, "quay.io/x/isam": false,
		"acme/hub": true, "acme/hub:1": true, "acme/githubx": true, "x/github:1": false,
	} {
		assert.Equal(t, sent, c.holds(t, pod("nginx", image, "redis:7"), nil), image)
	}
}

// oldest is the oldest Kubernetes that is supported: the first in which match conditions
// are generally available.
var oldest = version.MajorMinor(1, 30)

func TestItCompilesInTheOldestSupportedVersion(t *testing.T) {
	p, err := prefilter.New(builtin(t))
	require.NoError(t, err)
	c := suspect{condition.CompileFor(t, oldest, p.Expression)}
	assert.True(t, c.holds(t, pod("kaspersky/scanengine_httpd"), nil))
	assert.False(t, c.holds(t, pod("nginx"), nil))
	changes := suspect{condition.CompileFor(t, oldest, prefilter.ChangesImages())}
	assert.True(t, changes.holds(t, pod("a"), pod("b")))
}

// TestComparingIsBounded compares objects as large as etcd holds.
func TestComparingIsBounded(t *testing.T) {
	c := compileCondition(t, prefilter.ChangesImages())
	images := make([]string, 512)
	for i := range images {
		images[i] = strings.Repeat("a", 2900)
	}
	assert.False(t, c.holds(t, pod(images...), pod(images...)))
	images[511] += "b"
	assert.True(t, c.holds(t, pod(images...), pod(append(images[:511:511], "c")...)))
	assert.True(t, c.holds(t, pod(strings.Repeat("a", 1<<20)), pod("b")))
}

func TestWhatIsTooLargeIsPassedOn(t *testing.T) {
	p, err := prefilter.New(builtin(t))
	require.NoError(t, err)
	c := compileCondition(t, p.Expression)
	many := func(n int, image string) *corev1.Pod {
		images := make([]string, n)
		for i := range images {
			images[i] = image
		}
		return pod(images...)
	}
	assert.False(t, c.holds(t, many(64, "registry.k8s.io/pause:3.9"), nil))
	assert.True(t, c.holds(t, many(65, "registry.k8s.io/pause:3.9"), nil))
	assert.True(t, c.holds(t, many(20000, "nginx"), nil))
	assert.True(t, c.holds(t, pod(strings.Repeat("a/", 400_000)+"a"), nil))
	assert.True(t, c.holds(t, many(64, strings.Repeat("a", 239)), nil))
	volumes := pod("nginx")
	for range 5000 {
		volumes.Spec.Volumes = append(volumes.Spec.Volumes, corev1.Volume{Name: "v"})
	}
	assert.True(t, c.holds(t, volumes, nil))
}

// TestItFitsTheBudget tries the worst plain objects with many tokens.
func TestItFitsTheBudget(t *testing.T) {
	for _, n := range []int{10, 100, 1000, 3000} {
		var patterns []string
		for i := range n {
			patterns = append(patterns, fmt.Sprintf("registry.example.com/vendor-%d-%d/**", i, i*7919))
		}
		p, err := prefilter.New(ruleSet(patterns))
		require.NoError(t, err)
		require.Equal(t, n, p.Tokens)
		c := compileCondition(t, p.Expression)
		length := p.MaxText/64 - 1
		images := make([]string, 64)
		for i := range images {
			images[i] = strings.Repeat("a", min(length, 240))
		}
		assert.False(t, c.holds(t, pod(images...), nil), "%d tokens, text of %d", n, p.MaxText)
	}
	var patterns []string
	for i := range 9000 {
		patterns = append(patterns, fmt.Sprintf("registry.example.com/vendor-%d-%d/**", i, i*7919))
	}
	_, err := prefilter.New(ruleSet(patterns))
	require.Error(t, err)
}

func TestTooBroad(t *testing.T) {
	for pattern, mirrors := range map[string][]v1alpha1.Mirror{
		"docker.io/**":   nil,
		"docker.io/*":    nil,
		"docker.io/ab*":  nil,
		"docker.io/lib*": nil,
		"quay.io/**":     {{Prefix: "docker.io", Upstream: "quay.io"}},
		// nginx is docker.io/library/nginx, and so quay.io/library/nginx.
		"quay.io/library/**": {{Prefix: "docker.io", Upstream: "quay.io"}},
		"quay.io/lib*/**":    {{Prefix: "docker.io", Upstream: "quay.io"}},
	} {
		_, err := prefilter.New(ruleSet([]string{pattern}, mirrors...))
		var broad *prefilter.TooBroad
		require.ErrorAs(t, err, &broad, pattern)
		assert.Equal(t, pattern, broad.Pattern)
	}
}

func TestEveryPlaceOfEveryKindIsSearched(t *testing.T) {
	p, err := prefilter.New(builtin(t))
	require.NoError(t, err)
	c := compileCondition(t, p.Expression)
	const bad = "kaspersky/scanengine_httpd"
	for _, spec := range []corev1.PodSpec{
		{Containers: []corev1.Container{{Image: bad}}},
		{InitContainers: []corev1.Container{{Image: bad}}},
		{EphemeralContainers: []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Image: bad}}}},
		{Volumes: []corev1.Volume{{VolumeSource: corev1.VolumeSource{Image: &corev1.ImageVolumeSource{Reference: bad}}}}},
	} {
		template := corev1.PodTemplateSpec{Spec: spec}
		for _, object := range []runtime.Object{
			&corev1.Pod{Spec: spec}, &corev1.PodTemplate{Template: template}, &corev1.ReplicationController{Spec: corev1.ReplicationControllerSpec{Template: &template}},
			&appsv1.Deployment{Spec: appsv1.DeploymentSpec{Template: template}}, &appsv1.ReplicaSet{Spec: appsv1.ReplicaSetSpec{Template: template}},
			&appsv1.StatefulSet{Spec: appsv1.StatefulSetSpec{Template: template}}, &appsv1.DaemonSet{Spec: appsv1.DaemonSetSpec{Template: template}},
			&batchv1.Job{Spec: batchv1.JobSpec{Template: template}}, &batchv1.CronJob{Spec: batchv1.CronJobSpec{JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: template}}}},
		} {
			assert.True(t, c.holds(t, object, nil), "%T", object)
		}
	}
}

func TestChangesOfImagesAreSeen(t *testing.T) {
	c := compileCondition(t, prefilter.ChangesImages())
	labelled := pod("a", "b")
	labelled.Labels = map[string]string{"x": "y"}
	assert.False(t, c.holds(t, labelled, pod("a", "b")))
	assert.True(t, c.holds(t, pod("a", "c"), pod("a", "b")))
	assert.True(t, c.holds(t, pod("a", "b", "c"), pod("a", "b")))
	one, two := int32(1), int32(2)
	template := corev1.PodTemplateSpec{Spec: pod("a").Spec}
	assert.False(t, c.holds(t, &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Replicas: &two, Template: template}}, &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Replicas: &one, Template: template}}))
	assert.True(t, c.holds(t, pod(make([]string, 600)...), pod(make([]string, 600)...)), "too many to compare")
}
