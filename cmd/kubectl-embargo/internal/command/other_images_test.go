package command_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOtherFieldsNamedImageAreNotices(t *testing.T) {
	const manifest = `apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
spec:
  image: kaspersky/scanengine_httpd:2.1
  base: {image: "nginx:1.27"}
  broken: {image: "Not an image"}
  seen: kaspersky/scanengine_httpd:2.1
  list: [{image: "kaspersky/scanengine_httpd:$(params.v)"}]
---
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: p}
spec: {rules: [{image: "kaspersky/scanengine_httpd:2.1"}]}
---
apiVersion: tekton.dev/v1beta1
kind: StepAction
metadata: {name: s}
spec: {image: "kaspersky/scanengine_httpd:2.1"}
`
	file := write(t, "widget.yaml", manifest)
	result, a := runJSON(t, "", "check", "-f", file)
	assert.Equal(t, 1, a.code)
	if assert.Len(t, result.Findings, 1) {
		assert.Equal(t, "StepAction", result.Findings[0].Kind)
		assert.Equal(t, 19, result.Findings[0].Line)
	}
	notices := slices.DeleteFunc(result.Notices, func(n string) bool { return !strings.Contains(n, "no container is known") })
	assert.Equal(t, []string{
		file + `:5: Widget default/w: spec.image is "kaspersky/scanengine_httpd:2.1", which looks like an image of Kaspersky; it is no finding, because no container is known to be started from this field`,
		file + `:9: Widget default/w: spec.list[0].image is "kaspersky/scanengine_httpd:$(params.v)", which looks like an image of Kaspersky; it is no finding, because no container is known to be started from this field`,
	}, notices)
}
