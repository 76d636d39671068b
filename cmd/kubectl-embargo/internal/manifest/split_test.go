package manifest

import (
	"bufio"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// read reads a text within limits, and returns its objects as kind/name@line:column
// of the name, and what is wrong. There is a part among them for each item that was taken from a list.
func read(t *testing.T, text string, within limits) (objects, problems []string) {
	t.Helper()
	reader := bufio.NewReaderSize(strings.NewReader(text), 16) // lines come in pieces
	err := split(t.Context(), reader, within, func(c chunk) {
		d, err := c.parse()
		if err != nil {
			problems = append(problems, located("f", c, err).Error())
			return
		}
		if d == nil {
			return
		}
		found, others := d.Objects()
		for range others {
			objects = append(objects, "other")
		}
		if c.list != nil {
			objects = append(objects, "part")
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
		"kind last":             "{\"apiVersion\": \"v1\", \"items\": [\n" + pod("a") + ",\n" + pod("b") + " ,  " + pod("c") + "\n], \"kind\": \"List\", \"metadata\": {}}",
		"kind first":            "{\"kind\": \"PodList\", \"apiVersion\": \"v1\", \"metadata\": {\"items\": [1]}, \"items\": [{\"metadata\": {\"name\": \"a\"}}," + pod("b") + "]}",
		"several lists":         "[" + pod("x") + "]{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [" + pod("a") + "," + pod("b") + "]}\n" + pod("c"),
		"list in a list":        "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [" + pod("a") + "]}," + pod("b") + "]}",
		"no objects":            "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [1, \"two, [\", " + pod("a") + ", null, []]}",
		"not in parts: empty":   "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"metadata\": {\"a\": \"" + strings.Repeat("x", 100) + "\"}, \"items\": [ ]}",
		"not in parts: no list": "{\"apiVersion\": \"v1\", \"kind\": \"Menu\", \"metadata\": {\"name\": \"m\"}, \"items\": [" + pod("a") + "," + pod("b") + "]}",
		"separators":            "---\n" + pod("a") + "\n---\n{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [" + pod("b") + "," + pod("c") + "]}\n...\n" + pod("d"),
	} {
		t.Run(name, func(t *testing.T) {
			whole, problems := read(t, text, defaultLimits)
			require.Empty(t, problems)
			require.NotEmpty(t, append(whole, name))
			parts, problems := read(t, text, small)
			assert.Empty(t, problems)
			taken := len(parts)
			parts = slices.DeleteFunc(parts, func(o string) bool { return o == "part" })
			assert.Equal(t, strings.HasPrefix(name, "not in parts"), taken == len(parts))
			assert.ElementsMatch(t, whole, parts, "what is no object is only counted")
		})
	}
}

func TestAListOfYAMLIsReadTheSameInPartsAsInOnePiece(t *testing.T) {
	head := "# a list\napiVersion: v1\nmetadata:\n  note: a text that is long enough for the list to be taken apart\n"
	pod := func(indent, name string) string {
		return fmt.Sprintf("%[1]s- apiVersion: v1\n%[1]s  kind: Pod\n\n%[1]s  # a pod\n%[1]s  metadata:\n%[1]s    name: %[2]s\n%[1]s    note: |\n%[1]s      - x\n%[1]s   \n%[1]s    list:\n%[1]s    - a\n%[1]s    -  b\n", indent, name)
	}
	for name, text := range map[string]string{
		"as kubectl":                       head + "items:\n" + pod("", "a") + pod("", "b") + "kind: List\n",
		"indented":                         head + "kind: List\nitems:  \n\n# the items\n" + pod("  ", "a") + "  # more\n" + pod("  ", "b"),
		"typed":                            head + "kind: PodList\nitems:\n- metadata: {name: a}\n" + pod("", "b") + "-\n  metadata: {name: c}\n- {metadata: {name: d}}",
		"no objects":                       head + "items:\n- 1\n-\n- - x\n" + pod("", "a") + "- text\n  goes on\nkind: List",
		"several":                          head + "items:\n" + pod("", "a") + "kind: List\n---\n" + head + "items:\n" + pod("", "b") + "kind: List\n...\n" + pod("", "c"),
		"not in parts: no list":            head + "kind: Menu\nitems:\n" + pod("", "a") + pod("", "b"),
		"not in parts: items further down": head + "kind: Menu\nspec:\n  items:\n" + pod("  ", "a"),
		"Windows' lines":                   strings.ReplaceAll(head+"items:\n"+pod("", "a")+pod("", "b")+"kind: List\n", "\n", "\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			whole, problems := read(t, text, defaultLimits)
			require.Empty(t, problems)
			require.NotEmpty(t, whole)
			parts, problems := read(t, text, small)
			assert.Empty(t, problems)
			taken := len(parts)
			parts = slices.DeleteFunc(parts, func(o string) bool { return o == "part" })
			assert.Equal(t, strings.HasPrefix(name, "not in parts"), taken == len(parts))
			assert.ElementsMatch(t, whole, parts, "what is no object is only counted")
		})
	}
}

func TestAListOfYAMLThatCannotBeReadInPartsIsAnError(t *testing.T) {
	head := "apiVersion: v1\nmetadata: {note: a text that is long enough for the list to be taken apart}\nitems:\n"
	for text, says := range map[string]string{
		head + "- &a {apiVersion: v1, kind: Pod}\n- *a\nkind: List\n":                  "f:5: unknown anchor 'a'",
		head + "- {x: \"a\n- b\"}\nkind: List\n":                                       "f:5:",
		head + "- {metadata: {name: a}}\nkind: PodList\n":                              "f:4: neither the item nor",
		head + "- {apiVersion: v1, kind: Pod}\nkind: Menu\n":                           `f:1: the list, read without its items: a document this long`,
		head + "- {apiVersion: v1, kind: Pod}\nkind: List\nitems: []\n":                `key "items" already set`,
		head + "- {apiVersion: v1, kind: Pod}\n":                                       "a kind that ends in List",
		head + "- {apiVersion: v1, kind: Pod}\nkind: List\n- {a: b}\n":                 "f:1: the list, read without its items",
		head + "  - {apiVersion: v1, kind: Pod}\n  text\nkind: List\n":                 "neither an item nor a key",
		head + "- {apiVersion: v1, kind: Pod, x: " + strings.Repeat("y", 2000) + "}\n": "f:1: the document is longer than",
	} {
		_, problems := read(t, text, small)
		assert.Contains(t, strings.Join(problems, "\n"), says, text)
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

// FuzzParts checks that a list read in parts gives the same as in one piece, or an
// error: nothing may be passed over.
func FuzzParts(f *testing.F) {
	f.Add("apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n- &a {apiVersion: v1, kind: Pod}\n- *a\n")
	f.Add("apiVersion: v1\nitems:\n  - apiVersion: v1\n    kind: Pod\n    x: |\n      - a\n  - 'a\n  - b'\nkind: List\n")
	f.Add("apiVersion: v1\nkind: List\nitems:\n- \ra\n")
	f.Add("{\"apiVersion\": \"v1\", \"items\": [" + pod("a") + "," + pod("b") + "], \"kind\": \"List\"}")
	f.Add("{\"kind\": \"PodList\", \"apiVersion\": \"v1\", \"items\": [{}, 1, [], \"items\"]} {\"items\": [1]}")
	f.Fuzz(func(t *testing.T, text string) {
		parts, problems := read(t, text, limits{document: 1 << 20, list: 1})
		if len(problems) > 0 {
			return
		}
		whole, problems := read(t, text, limits{document: 1 << 20, list: 1 << 20})
		require.Empty(t, problems, "what is an error in one piece is one in parts")
		parts = slices.DeleteFunc(parts, func(o string) bool { return o == "part" })
		require.ElementsMatch(t, unplaced(whole), unplaced(parts))
	})
}

// unplaced leaves the places out: where a text can't be read for them, an item knows its
// own better than the whole does.
func unplaced(objects []string) []string {
	var names []string
	for _, o := range objects {
		name, _, _ := strings.Cut(o, "@")
		names = append(names, name)
	}
	return names
}
