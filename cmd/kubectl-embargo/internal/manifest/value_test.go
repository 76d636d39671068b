package manifest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// asKubectl reads a document by the functions that kubectl uses.
func asKubectl(text []byte) (any, error) {
	raw, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return nil, err
	}
	var value any
	return value, json.UnmarshalCaseSensitivePreserveInts(raw, &value)
}

var documents = []string{
	"a: 1\nb: 1.0\nc: 1.5\nd: 0x10\ne: 010\nf: 1_000\ng: 18446744073709551615\nh: -1\ni: 1e3\n",
	"a: yes\nb: on\nc: n\nd: ~\ne: null\nf: 'yes'\ng: TRUE\n",
	"a: 2001-01-01\nb: !!timestamp 2001-01-01\nc: !!str 1\nd: !!binary aGk=\ne: !!binary /w==\nf: !!float 1\n",
	"1: a\n1.5: b\ntrue: c\n.inf: d\n",
	"a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}\n",
	"a: |\n  x\n  y\nb: >-\n  x\n  y\nc: \"\\u00e9\\x41\"\n",
	"- 1\n- [a, {b: c}]\n", "just text", "# nothing", "", "null", "a: .nan", "a: .inf",
	"a: 1\na: 2\n", "? [a]\n: b\n", "? \n: b\n", "a: {b: 1, 'b': 2}", "\"\\ud800\": 1",
}

func sameAsKubectl(t *testing.T, text []byte) {
	t.Helper()
	want, wantErr := asKubectl(text)
	got, err := readYAML(text)
	if wantErr != nil {
		require.Error(t, err, "kubectl: %v", wantErr)
		return
	}
	if err != nil {
		return // what follows the first document is an error here, and overlooked there
	}
	require.Equal(t, want, got)
}

func TestYAMLIsReadAsKubectlReadsIt(t *testing.T) {
	for _, text := range documents {
		sameAsKubectl(t, []byte(text))
	}
	_, err := readYAML([]byte("{a: 1}\nb: 2\n"))
	assert.Error(t, err, "kubectl overlooks the second")
}

// FuzzValue compares the values of any text with those of kubectl.
func FuzzValue(f *testing.F) {
	for _, text := range documents {
		f.Add([]byte(text))
	}
	f.Fuzz(sameAsKubectl)
}

// FuzzHidden checks that no document goes unseen behind a line break that only YAML
// knows: whatever the parser for places takes for a second one is an error.
func FuzzHidden(f *testing.F) {
	f.Add([]byte("a: 1\r---\rb: 2\r"))
	f.Add([]byte("{a: 1}\u2028--- b"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c := chunk{line: 1, text: text}
		if _, placed := c.tree(); placed == nil {
			return
		}
		if d, err := c.parse(); err == nil && d != nil {
			// The two parsers may differ on the text itself, but not on where it ends.
			_, placed := c.tree()
			require.NotContains(t, placed.Error(), "another document")
		}
	})
}
