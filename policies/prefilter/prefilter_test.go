package prefilter_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

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
	"k8s.io/apiserver/pkg/admission"
	celplugin "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	"k8s.io/apiserver/pkg/cel/environment"
	"pgregory.net/rapid"

	"embargo.dev/policies"
	"embargo.dev/policies/catalog"
	"embargo.dev/policies/prefilter"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/policies/workload"
)

// condition is an expression compiled in the API server's own environment.
type condition struct{ evaluator celplugin.ConditionEvaluator }

func compileCondition(t require.TestingT, expression string) condition {
	return compileFor(t, environment.DefaultCompatibilityVersion(), expression)
}

// compileFor compiles as an API server of a version does: only with functions that
// were there then.
func compileFor(t require.TestingT, v *version.Version, expression string) condition {
	compiler := celplugin.NewConditionCompiler(environment.MustBaseEnvSet(v))
	evaluator := compiler.CompileCondition([]celplugin.ExpressionAccessor{&matchconditions.MatchCondition{Name: "suspect", Expression: expression}},
		celplugin.OptionalVariableDeclarations{HasAuthorizer: true}, environment.NewExpressions)
	require.Empty(t, evaluator.CompilationErrors())
	return condition{evaluator}
}

const (
	perEntry      = 2_500_000
	perExpression = 1_000_000
)

// holds evaluates the condition within the API server's budget; it must neither err nor
// run out.
func (c condition) holds(t require.TestingT, object, old runtime.Object) bool {
	results, remaining, err := c.evaluator.ForInput(context.Background(), &admission.VersionedAttributes{
		VersionedObject: admission.NewLazyObject(object), VersionedOldObject: admission.NewLazyObject(old),
	}, &admissionv1.AdmissionRequest{}, celplugin.OptionalVariableBindings{}, nil, perEntry)
	require.NoError(t, err)
	require.NoError(t, results[0].Error)
	require.Less(t, perEntry-remaining, int64(perExpression))
	return results[0].EvalResult.Value().(bool)
}

func pod(images ...string) *corev1.Pod {
	p := &corev1.Pod{}
	for i, image := range images {
		p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: fmt.Sprint("c", i), Image: image})
	}
	return p
}

func vendor(patterns, digests []string) v1alpha1.RestrictedVendor {
	v := v1alpha1.RestrictedVendor{ObjectMeta: metav1.ObjectMeta{Name: "acme"}, Spec: v1alpha1.RestrictedVendorSpec{
		DisplayName: "Acme", Images: v1alpha1.VendorImages{Digests: digests},
		Restrictions: []v1alpha1.Restriction{{Name: "r", Audience: "us-persons", TimeZone: "UTC",
			Schedule: []v1alpha1.Phase{{Phase: "p", Effective: "2020-01-01", Introduce: "Deny", Update: "Deny", Continue: "Warn"}}}},
	}}
	for _, p := range patterns {
		v.Spec.Images.Repositories = append(v.Spec.Images.Repositories, v1alpha1.RepositoryPattern{Pattern: p})
	}
	return v
}

func ruleSet(patterns, digests []string, mirrors ...v1alpha1.Mirror) *policies.RuleSet {
	policy := catalog.DefaultPolicy()
	policy.Spec.Mirrors = mirrors
	rules, _ := policies.Compile(policies.Source{Vendors: []v1alpha1.RestrictedVendor{vendor(patterns, digests)}, Policies: []v1alpha1.VendorPolicy{policy}})
	return rules
}

func findings(t require.TestingT, rules *policies.RuleSet, kind schema.GroupKind, object any) int {
	raw, err := json.Marshal(object)
	require.NoError(t, err)
	decoded, err := workload.Decode(kind, raw)
	require.NoError(t, err)
	d := rules.Evaluate(policies.Request{Operation: policies.Create, Kind: kind, Namespace: policies.Namespace{Name: "n"}, Object: decoded}, policies.At(time.Now()))
	return len(d.Findings)
}

var podKind = schema.GroupKind{Kind: "Pod"}

// The generators share a small alphabet, so that patterns, mirrors and images often meet.
func segments() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{"acme", "tools", "lib", "library", "agent", "ac", "x", "scan_one", "scan-two"})
}

func hosts() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{"reg.acme.io", "eu.reg.acme.io", "mirror.example.com", "cache.example.com:5000", "cache.example.com", "quay.io"})
}

func patternTexts() *rapid.Generator[string] {
	host := rapid.OneOf(hosts(), rapid.SampledFrom([]string{"", "", "**", "docker.io", "index.docker.io", "*.acme.io", "*.reg.acme.io", "reg.*.io", "*.io", "mir*.example.com"}))
	segment := rapid.OneOf(segments(), rapid.SampledFrom([]string{"**", "*", "ac*", "*ent", "sc*n*", "lib*", "*o*"}))
	suffix := rapid.SampledFrom([]string{"", "", "", ":1", ":1.*", "@sha256:" + strings.Repeat("ab", 32)})
	return rapid.Custom(func(t *rapid.T) string {
		text := strings.Join(rapid.SliceOfN(segment, 1, 3).Draw(t, "segments"), "/") + suffix.Draw(t, "suffix")
		if h := host.Draw(t, "host"); h != "" {
			return h + "/" + text
		}
		return text
	})
}

func mirrorPairs() *rapid.Generator[v1alpha1.Mirror] {
	place := rapid.Custom(func(t *rapid.T) string {
		host := rapid.OneOf(hosts(), rapid.Just("docker.io")).Draw(t, "host")
		return strings.Join(append([]string{host}, rapid.SliceOfN(segments(), 0, 2).Draw(t, "segments")...), "/")
	})
	return rapid.Custom(func(t *rapid.T) v1alpha1.Mirror {
		return v1alpha1.Mirror{Prefix: place.Draw(t, "prefix"), Upstream: place.Draw(t, "upstream")}
	})
}

func imageTexts() *rapid.Generator[string] {
	host := rapid.OneOf(hosts(), rapid.SampledFrom([]string{"", "", "docker.io", "index.docker.io", "registry-1.docker.io:443", "DOCKER.io", "REG.acme.io", "mirror.gcr.io",
		"m.daocloud.io/reg.acme.io", "m.daocloud.io/docker.io", "public.ecr.aws/docker/library", "reg.acme.io:8443", "mirror.example.com:99"}))
	segment := rapid.OneOf(segments(), rapid.SampledFrom([]string{"Acme", "a..b", "", "ub", "nginx", strings.Repeat("a", 64), strings.Repeat("b", 250)}))
	suffix := rapid.SampledFrom([]string{"", "", ":1", ":1.2", ":V1", "@sha256:" + strings.Repeat("ab", 32), ":1@sha256:" + strings.Repeat("ab", 32), ":", "@sha256:ab", " ", "$(x)"})
	return rapid.Custom(func(t *rapid.T) string {
		text := strings.Join(rapid.SliceOfN(segment, 1, 4).Draw(t, "segments"), "/") + suffix.Draw(t, "suffix")
		if h := host.Draw(t, "host"); h != "" {
			return h + "/" + text
		}
		return text
	})
}

// TestSound is the promise: prefilter false means no finding.
func TestSound(t *testing.T) {
	var passed, found, broad, total int
	rapid.Check(t, func(t *rapid.T) {
		digests := rapid.SampledFrom([][]string{nil, nil, {"sha256:" + strings.Repeat("ab", 32)}}).Draw(t, "digests")
		rules := ruleSet(rapid.SliceOfN(patternTexts(), 0, 4).Draw(t, "patterns"), digests, rapid.SliceOfN(mirrorPairs(), 0, 3).Draw(t, "mirrors")...)
		p, err := prefilter.New(rules)
		if err != nil {
			broad++
			return
		}
		c := compileCondition(t, p.Expression)
		for _, image := range rapid.SliceOfN(imageTexts(), 1, 12).Draw(t, "images") {
			object := pod("nginx:1.27", image)
			total++
			n := findings(t, rules, podKind, object)
			sent := c.holds(t, object, nil)
			if n > 0 {
				found++
				require.True(t, sent, "%q has %d findings, and would not be sent", image, n)
			}
			if sent {
				passed++
			}
		}
	})
	t.Logf("%d objects, %d with findings, %d sent; %d rule sets too broad", total, found, passed, broad)
	assert.Greater(t, found, total*3/10, "the objects are to be worth the test")
	assert.Less(t, passed, total, "a filter that passes everything is none")
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

// oldest is the oldest Kubernetes that is supported: the first in which match conditions
// are generally available.
var oldest = version.MajorMinor(1, 30)

func TestItCompilesInTheOldestSupportedVersion(t *testing.T) {
	p, err := prefilter.New(builtin(t))
	require.NoError(t, err)
	suspect := compileFor(t, oldest, p.Expression)
	assert.True(t, suspect.holds(t, pod("kaspersky/scanengine_httpd"), nil))
	assert.False(t, suspect.holds(t, pod("nginx"), nil))
	changes := compileFor(t, oldest, prefilter.ChangesImages())
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
		p, err := prefilter.New(ruleSet(patterns, nil))
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
	_, err := prefilter.New(ruleSet(patterns, nil))
	require.Error(t, err)
}

func TestTooBroad(t *testing.T) {
	for pattern, mirrors := range map[string][]v1alpha1.Mirror{
		"docker.io/**":   nil,
		"docker.io/*":    nil,
		"docker.io/ab":   nil,
		"docker.io/lib*": nil,
		"quay.io/**":     {{Prefix: "docker.io", Upstream: "quay.io"}},
	} {
		_, err := prefilter.New(ruleSet([]string{pattern}, nil, mirrors...))
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
