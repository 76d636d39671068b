package manifest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAMistakeIsNamedWithItsLine(t *testing.T) {
	const head = "apiVersion: v1\nkind: Pod\n"
	for text, want := range map[string]string{
		head + "metadata:\n  name: a\n bad: indent\n":                 "f:5: did not find expected key",
		head + "spec:\n  containers:\n  - name: a\n   - name: b\n":    "f:6: did not find expected key",
		head + "metadata: {name: a\nspec: x\n":                        "f:4: did not find expected ',' or '}'",
		head + "list: [1,\n2\n":                                       "f:4: did not find expected ',' or ']'",
		head + "metadata:\n  name: a\nnocolon\nspec: {}\n":            "f:5: could not find expected ':'",
		head + "metadata:\n  name: a: b\n":                            "f:4: mapping values are not allowed in this context",
		head + "metadata:\n  name: \"a\nspec: x\n":                    "f:4: found unexpected end of stream",
		head + "\tmetadata: x\n":                                      "f:3: found a tab character that violates indentation",
		head + "a: 1\nx: *nope\n":                                     "f:4: unknown anchor 'nope' referenced",
		head + "metadata:\n\tname: a\n":                               "f:4: found character that cannot start any token",
		head + "x: a\xffb\n":                                          "f:3: invalid leading UTF-8 octet",
		head + "x: a\x01b\n":                                          "f:3: control characters are not allowed",
		head + "spec: {{ .Values.x }}\n":                              "f:3: a key is a map or a list, but should be text; a template such as {{ … }} has to be rendered first",
		head + "x:\n- a: 1\n  b: 2\n  a: 3\n":                         "f:6: key \"a\" already set in map",
		head + "1: a\n\"1\": b\n":                                     "f:4: key \"1\" already set in map",
		head + "base: &b {name: x}\nspec:\n  name: y\n  <<: *b\n":     "f:6: << stands behind key \"name\", which it sets too: it has to stand before it",
		"{\"apiVersion\": \"v1\",\n\"kind\": \"Pod\",\n\"a\": [1}\n}": "f:3: did not find expected ',' or ']'",
		"---\na: 1\n---\n" + head + "a: [\n":                          "f:6: did not find expected node content",
	} {
		_, problems := read(t, text, defaultLimits)
		assert.Equal(t, []string{want}, problems, text)
	}
}

func TestAKeyMayBeSetOverOneThatIsBroughtIn(t *testing.T) {
	c := chunk{line: 1, text: []byte("a: &a {x: 1, z: 1}\nb: &b {z: 2}\nc:\n  <<: [*a, *b]\n  x: 3\n")}
	d, err := c.parse()
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"x": int64(3), "z": int64(1)}, d.Value.(map[string]any)["c"])
	assert.Equal(t, Place{5, 6, 7}, d.Place("c.x"))
	assert.Equal(t, Place{1, 17, 18}, d.Place("c.z"))
}

func TestATabMayFollowASeparator(t *testing.T) {
	objects, problems := read(t, "---\t# first\napiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n---\t {apiVersion: v1, kind: Pod, metadata: {name: b}}\n", defaultLimits)
	assert.Empty(t, problems)
	assert.Equal(t, []string{"Pod/a@5:9", "Pod/b@6:51"}, objects)
}

func TestDirectivesBelongToTheDocumentThatFollows(t *testing.T) {
	objects, problems := read(t, "# first\n%YAML 1.2\n---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n...\n%YAML 1.1\n%TAG ! tag:x\n---\na: 1\n", defaultLimits)
	assert.Empty(t, problems)
	assert.Equal(t, []string{"Pod/a@7:9", "other"}, objects)
}
