package prefilter_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"pgregory.net/rapid"

	"embargo.dev/policies/prefilter"
	"embargo.dev/test/random"
)

var revisionKind = schema.GroupKind{Group: "apps", Kind: "ControllerRevision"}

// revisionOf is a ControllerRevision with data, in JSON.
func revisionOf(data string) *appsv1.ControllerRevision {
	return &appsv1.ControllerRevision{TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "ControllerRevision"},
		ObjectMeta: metav1.ObjectMeta{Name: "r"}, Data: runtime.RawExtension{Raw: []byte(data)}}
}

// TestSoundInRevisions searches for a revision with a finding that would not be sent,
// among random templates in which something has a wrong type.
func TestSoundInRevisions(t *testing.T) {
	var found, sent, clean int
	// Compiling takes longer than evaluating: few rule sets, and many objects for each.
	before := flag.Lookup("rapid.checks").Value.String()
	require.NoError(t, flag.Set("rapid.checks", "40"))
	t.Cleanup(func() { require.NoError(t, flag.Set("rapid.checks", before)) })
	rapid.Check(t, func(t *rapid.T) {
		list := random.NewList(t)
		p, err := prefilter.New(list.RuleSet)
		if err != nil {
			return
		}
		c := compileCondition(t, p.Revisions)
		for range 50 {
			data := anyRevision(t, list)
			object := revisionOf(data)
			decision := decide(t, list.RuleSet, revisionKind, object)
			held := c.holds(t, object, nil)
			if len(decision.Findings) > 0 && !held {
				t.Fatalf("findings, and not sent: %s\n%+v", data, decision.Findings)
			}
			switch {
			case len(decision.Findings) > 0:
				found++
			case held:
				sent++
			default:
				clean++
			}
		}
	})
	t.Logf("%d with findings, %d sent without, %d kept", found, sent, clean)
	assert.Positive(t, min(found, sent, clean))
}

// podSpecPlaces are where the workloads of package random keep their pod spec.
var podSpecPlaces = [][]string{
	{"spec", "jobTemplate", "spec", "template", "spec"}, {"spec", "template", "spec"}, {"template", "spec"}, {"spec"},
}

// steps are where something of a wrong type is put, from the object down.
var steps = [][]any{
	{"data"}, {"data", "spec"}, {"data", "spec", "template"}, {"data", "spec", "template", "spec"},
	{"containers"}, {"initContainers"}, {"ephemeralContainers"}, {"volumes"},
	{"containers", 0}, {"containers", 0, "image"}, {"initContainers", 0}, {"initContainers", 0, "image"},
	{"volumes", 0}, {"volumes", 0, "image"}, {"volumes", 0, "image", "reference"},
}

var wrong = []string{`null`, `"text"`, `1`, `1.5`, `true`, `[]`, `{}`, `[null]`, `["x"]`, `[{}]`, `[[]]`}

// anyRevision is the data of a revision with the pod spec of a random workload, or with a
// clean one, in which a few things may have a wrong type.
func anyRevision(t *rapid.T, list *random.List) string {
	var spec any = map[string]any{"containers": []any{map[string]any{"name": "c", "image": "registry.k8s.io/pause:3.10"}}}
	if rapid.Bool().Draw(t, "random") {
		spec = podSpecOf(t, list.NewWorkload(t, "w").Object)
	}
	object := map[string]any{"data": map[string]any{"spec": map[string]any{"template": map[string]any{"$patch": "replace", "spec": spec}}}}
	for range rapid.IntRange(0, 2).Draw(t, "wrong") {
		step := rapid.SampledFrom(steps).Draw(t, "step")
		if step[0] != "data" {
			step = append([]any{"data", "spec", "template", "spec"}, step...)
		}
		var value any
		require.NoError(t, json.Unmarshal([]byte(rapid.SampledFrom(wrong).Draw(t, "value")), &value))
		put(object, step, value)
	}
	data, err := json.Marshal(object["data"])
	require.NoError(t, err)
	return string(data)
}

// podSpecOf is the pod spec of a workload.
func podSpecOf(t *rapid.T, object any) any {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	require.NoError(t, err)
	for _, place := range podSpecPlaces {
		if spec, ok, err := unstructured.NestedMap(fields, place...); ok && err == nil {
			return spec
		}
	}
	t.Fatalf("%T has no pod spec", object)
	return nil
}

// put puts a value at a path, where that is there.
func put(at any, path []any, value any) {
	switch key := path[0].(type) {
	case string:
		fields, ok := at.(map[string]any)
		if ok && len(path) == 1 {
			fields[key] = value
		} else if ok {
			put(fields[key], path[1:], value)
		}
	case int:
		items, ok := at.([]any)
		if !ok || key >= len(items) {
			return
		}
		if len(path) == 1 {
			items[key] = value
		} else {
			put(items[key], path[1:], value)
		}
	}
}

// TestMalformedRevisionsNeverErr: an expression that errs would let a revision by. What is
// absent or null holds nothing, what has a wrong type is sent.
func TestMalformedRevisionsNeverErr(t *testing.T) {
	p, err := prefilter.New(builtin(t))
	require.NoError(t, err)
	c := compileCondition(t, p.Revisions)
	in := func(spec string) string { return `{"spec":{"template":{"spec":` + spec + `}}}` }
	many := func(n int) string { return strings.TrimSuffix(strings.Repeat(`{"image":"a"},`, n), ",") }
	for data, sent := range map[string]bool{
		`null`: false, `{}`: false, `{"spec":null}`: false, `{"spec":{"template":null}}`: false, in(`null`): false, in(`{}`): false,
		`1`: true, `"a"`: true, `[]`: true, `{"spec":1}`: true, `{"spec":{"template":[]}}`: true, in(`"a"`): true, in(`[]`): true,
		in(`{"containers":null,"volumes":null}`):                                    false,
		in(`{"containers":{}}`):                                                     true,
		in(`{"containers":[null]}`):                                                 true,
		in(`{"containers":["nginx"]}`):                                              true,
		in(`{"containers":[{"image":1}]}`):                                          true,
		in(`{"containers":[{"image":"nginx"}]}`):                                    false,
		in(`{"initContainers":[{"image":"kaspersky/scanengine_httpd"}]}`):           true,
		in(`{"containers":[{"image":"nginx"}],"volumes":[{"name":"v"}]}`):           false,
		in(`{"volumes":[{"image":null}]}`):                                          true,
		in(`{"volumes":[{"image":"nginx"}]}`):                                       true,
		in(`{"volumes":[{"image":{"reference":["nginx"]}}]}`):                       true,
		in(`{"volumes":[{"image":{"reference":"kaspersky/scanengine_httpd"}}]}`):    true,
		in(`{"containers":[` + many(64) + `]}`):                                     false,
		in(`{"containers":[` + many(65) + `]}`):                                     true,
		in(`{"containers":[` + many(40) + `],"initContainers":[` + many(40) + `]}`): true,
		in(`{"containers":[` + many(50_000) + `]}`):                                 true,
		in(`{"volumes":[` + many(50_000) + `]}`):                                    true,
	} {
		assert.Equal(t, sent, c.holds(t, revisionOf(data), nil), "%.100s", data)
	}
	volumes := strings.TrimSuffix(strings.Repeat(`{"name":"v","configMap":{"name":"c"}},`, 256), ",")
	images := fmt.Sprintf(`{"image":%q},`, strings.Repeat("a", 100))
	full := fmt.Sprintf(`{"containers":[%s],"volumes":[%s]}`, strings.TrimSuffix(strings.Repeat(images, 60), ","), volumes)
	assert.False(t, c.holds(t, revisionOf(in(full)), nil), "as large as is searched")
}
