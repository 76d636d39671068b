package manifest

import (
	"bufio"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// read reads a text within limits, and returns its objects as kind/name@line:column
// of the name, and what is wrong.
func read(t *testing.T, text string, within limits) (objects, problems []string) {
	t.Helper()
	reader := bufio.NewReaderSize(strings.NewReader(text), 16) // lines come in pieces
	err := split(t.Context(), reader, within, func(c chunk) {
		d, err := c.parse()
		if err != nil {
			problems = append(problems, located("f", c.line, err).Error())
			return
		}
		if d == nil {
			return
		}
		found, others := d.Objects()
		for range others {
			objects = append(objects, "other")
		}
		for _, o := range found {
			metadata, _ := o.Fields["metadata"].(map[string]any)
			line, column := o.Position("metadata.name")
			objects = append(objects, fmt.Sprintf("%s/%v@%d:%d", o.Kind().Kind, metadata["name"], line, column))
		}
	})
	require.NoError(t, err)
	return objects, problems
}

// pod is a Pod in JSON over several lines.
func pod(name string) string {
	return fmt.Sprintf("{\n  \"apiVersion\": \"v1\", \"kind\": \"Pod\",\n  \"metadata\": {\"name\": %q, \"note\": \"[]{},\\\"\"}\n}", name)
}

var small = limits{document: 1 << 10, list: 64}

func TestAListOfJSONIsReadTheSameInPartsAsInOnePiece(t *testing.T) {
	for name, text := range map[string]string{
		"kind last":      "{\"apiVersion\": \"v1\", \"items\": [\n" + pod("a") + ",\n" + pod("b") + " ,  " + pod("c") + "\n], \"kind\": \"List\", \"metadata\": {}}",
		"kind first":     "{\"kind\": \"PodList\", \"apiVersion\": \"v1\", \"metadata\": {\"items\": [1]}, \"items\": [{\"metadata\": {\"name\": \"a\"}}," + pod("b") + "]}",
		"several lists":  "[" + pod("x") + "]{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [" + pod("a") + "," + pod("b") + "]}\n" + pod("c"),
		"list in a list": "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [" + pod("a") + "]}," + pod("b") + "]}",
		"no objects":     "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [1, \"two, [\", " + pod("a") + ", null, []]}",
		"empty":          "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"metadata\": {\"a\": \"" + strings.Repeat("x", 100) + "\"}, \"items\": [ ]}",
		"no list":        "{\"apiVersion\": \"v1\", \"kind\": \"Menu\", \"metadata\": {\"name\": \"m\"}, \"items\": [" + pod("a") + "," + pod("b") + "]}",
		"separators":     "---\n" + pod("a") + "\n--- # more\n{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [" + pod("b") + "," + pod("c") + "]}\n...\n" + pod("d"),
	} {
		t.Run(name, func(t *testing.T) {
			whole, problems := read(t, text, defaultLimits)
			require.Empty(t, problems)
			require.NotEmpty(t, append(whole, name))
			parts, problems := read(t, text, small)
			assert.Empty(t, problems)
			assert.ElementsMatch(t, whole, parts, "what is no object is only counted")
		})
	}
}

func TestAListThatCannotBeReadInPartsIsAnError(t *testing.T) {
	list := func(items, rest string) string {
		return "{\"apiVersion\": \"v1\", \"items\": [" + items + "]" + rest + "}"
	}
	for text, says := range map[string]string{
		list("{\"metadata\": {}},"+pod("a"), ", \"kind\": \"PodList\""):                   "f:1: neither the item nor, before its items, the list says what kind it is",
		list(pod("a")+","+pod("b"), ", \"kind\": \"Menu\""):                               `not "Menu"`,
		list(pod("a")+",,"+pod("b"), ", \"kind\": \"List\""):                              "missing between two commas",
		list(pod("a")+","+pod("b"), ", \"kind\": \"List\", \"kind\": \"List\""):           "duplicate",
		list(pod("a")+","+pod("b"), ", \"kind\": \"List\", \"items\": ["+pod("c")+"]"):    "duplicate",
		list(pod("a")+","+strings.Replace(pod("b"), ":", "=", 1), ", \"kind\": \"List\""): "f:4: invalid character '='",
		strings.TrimSuffix(list(pod("a")+","+pod("b"), ""), "]}"):                         "the list ends before it is complete",
	} {
		_, problems := read(t, text, small)
		assert.Contains(t, strings.Join(problems, "\n"), says, text)
	}
}

func TestADocumentThatIsTooLongIsAnErrorAndTheRestIsRead(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for name, text := range map[string]string{
		"lines":           strings.Repeat("a: b\n", 1000) + "---\n" + pod("a"),
		"an endless line": "a: " + long + "\n---\n" + pod("a"),
		"a JSON value":    "{\"a\": \"" + long + "\"}" + pod("a"),
		"an item":         "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [" + pod("b") + ",{\"a\": \"" + long + "\"}]}" + pod("a"),
		"unclosed":        "{\"a\": \"" + long + "\n---\n" + pod("a"),
	} {
		t.Run(name, func(t *testing.T) {
			objects, problems := read(t, text, small)
			require.Len(t, problems, 1)
			assert.Regexp(t, "^f:[14]: the document is longer than", problems[0])
			require.NotEmpty(t, objects)
			assert.Contains(t, objects[len(objects)-1], "Pod/a@")
		})
	}
}

func TestFlowMappingsAreYAMLThoughTheyBeginLikeJSON(t *testing.T) {
	objects, problems := read(t, "{apiVersion: v1, kind: Pod, metadata: {name: 'a}'}}\n--- \n{'x': \"}\"} # }\n", defaultLimits)
	assert.Empty(t, problems)
	assert.Equal(t, []string{"Pod/a}@1:46", "other"}, objects)
}

func TestReadingEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var broken []*Error
	reader := &Reader{Stdin: strings.NewReader(strings.Repeat(pod("a"), 10_000)), Broken: func(e *Error) { broken = append(broken, e) }}
	visited := 0
	reader.Read(ctx, []string{"-"}, func(*Document) {
		visited++
		cancel()
	})
	assert.Less(t, visited, 10_000)
	require.Len(t, broken, 1)
	assert.ErrorIs(t, broken[0], context.Canceled)
}

func TestDocumentsComeInTheirOrder(t *testing.T) {
	var text strings.Builder
	for i := range 500 {
		fmt.Fprintf(&text, "---\ni: %d\n", i)
		if i%7 == 0 {
			text.WriteString("---\na: [\n")
		}
	}
	next, broken := 0, 0
	reader := &Reader{Stdin: strings.NewReader(text.String()), Broken: func(*Error) {
		broken++
		require.Equal(t, next, 7*(broken-1)+1, "errors too")
	}}
	reader.Read(t.Context(), []string{"-"}, func(d *Document) {
		require.Equal(t, map[string]any{"i": int64(next)}, d.Value)
		next++
	})
	assert.Equal(t, 500, next)
	assert.Equal(t, 72, broken)
}
