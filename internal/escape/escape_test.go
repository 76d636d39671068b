package escape_test

import (
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"embargo.dev/internal/escape"
)

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "",
		"ghcr.io/acme/agent:1":          "ghcr.io/acme/agent:1",
		`C:\agent "é" 漢字 😀`:             `C:\agent "é" 漢字 😀`,
		"del\x7f":                       `del\u007f`,
		"\x00\x1b[31m\r\n\t":            `\u0000\u001b[31m\u000d\u000a\u0009`,
		"c1 \u0080\u0085\u009f":         `c1 \u0080\u0085\u009f`,
		"lines \u2028\u2029":            `lines \u2028\u2029`,
		"marks \u202e\u200b\ufeff":      `marks \u202e\u200b\ufeff`,
		"blanks \u00a0\u3000":           `blanks \u00a0\u3000`,
		"none \ufffe\uffff":             `none \ufffe\uffff`,
		"beyond \U000e0001\U0010ffff":   `beyond \U000e0001\U0010ffff`,
		"not UTF-8 \xff":                `not UTF-8 \ufffd`,
		"a lone surrogate \xed\xa0\x80": `a lone surrogate \ufffd\ufffd\ufffd`,
	} {
		assert.Equal(t, want, escape.Text(text))
	}
}

func TestJSONMeansTheSame(t *testing.T) {
	for text, want := range map[string]string{
		"busybox":          `"busybox"`,
		"busybox\x7f":      `"busybox\u007f"`,
		"\u0085\ufffe":     `"\u0085\ufffe"`,
		"\U000e0001":       `"\udb40\udc01"`,
		"é 😀 \\ \"":        `"é 😀 \\ \""`,
		`literal \u007f`:   `"literal \\u007f"`,
		"\u2028 by JSON":   `"\u2028 by JSON"`,
		"tab\t, newline\n": `"tab\t, newline\n"`,
	} {
		raw, err := json.Marshal(text)
		require.NoError(t, err)
		assert.Equal(t, want, string(escape.JSON(raw)))
	}
}

// FuzzText has escaped texts read by what reads objects, reports and results.
func FuzzText(f *testing.F) {
	for _, text := range []string{"nginx", "busybox\x7f", "\u0085\u2028", "\ufffe\uffff", "\U000e0001", "\xff", "- a: |", "\\u007f", "<&>]]>", " x "} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		shown := escape.Text(text)
		assert.Equal(t, shown, escape.Text(shown), "once is enough")
		inYAML, err := yaml.Marshal(map[string]string{"text": shown})
		require.NoError(t, err)
		var object map[string]string
		require.NoError(t, yaml.Unmarshal(inYAML, &object))
		assert.Equal(t, shown, object["text"])

		var inXML strings.Builder
		require.NoError(t, xml.EscapeText(&inXML, []byte(shown)))
		var element string
		require.NoError(t, xml.Unmarshal([]byte("<text>"+inXML.String()+"</text>"), &element))
		assert.Equal(t, shown, element)

		raw, err := json.Marshal(text)
		require.NoError(t, err)
		var before, after string
		require.NoError(t, json.Unmarshal(raw, &before))
		require.NoError(t, json.Unmarshal(escape.JSON(raw), &after))
		assert.Equal(t, before, after)
		if !strings.ContainsFunc(text, func(r rune) bool { return r > 0xFFFF }) { // YAML has no surrogates
			_, err = yaml.JSONToYAML(escape.JSON(raw))
			require.NoError(t, err)
		}
	})
}
