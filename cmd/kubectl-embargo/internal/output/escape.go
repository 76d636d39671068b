package output

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

// escapeJSON writes the characters of a JSON text that can't be seen by their codes. JSON
// itself takes them as they are, but YAML refuses most, and kubectl reads JSON as YAML.
func escapeJSON(text []byte) []byte { return escape(text, surrogates) }

// escape writes the characters that can't be seen by their codes.
func escape(text []byte, beyond func(rune) string) []byte {
	if printableASCII(text) {
		return text
	}
	out := make([]byte, 0, len(text)+64)
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case r < utf8.RuneSelf && r != 0x7F || strconv.IsPrint(r):
			out = append(out, text[:size]...)
		case r > 0xFFFF:
			out = append(out, beyond(r)...)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		text = text[size:]
	}
	return out
}

// surrogates is how JSON escapes a character beyond U+FFFF.
func surrogates(r rune) string {
	high, low := utf16.EncodeRune(r)
	return fmt.Sprintf(`\u%04x\u%04x`, high, low)
}

// codePoint is how YAML does.
func codePoint(r rune) string { return fmt.Sprintf(`\U%08x`, r) }

func printableASCII(text []byte) bool {
	for _, c := range text {
		if c >= 0x7F {
			return false
		}
	}
	return true
}

// MarshalYAML returns a value as YAML that every reader takes, whatever characters its
// texts have.
func MarshalYAML(value any) ([]byte, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	escaped := escape(raw, codePoint)
	if bytes.Equal(escaped, raw) && !bytes.Contains(raw, []byte(`\u202`)) { // encoding/json escapes U+2028 and U+2029
		return yaml.JSONToYAML(raw)
	}
	return quotedYAML(escaped)
}

// quotedYAML turns JSON into YAML with all texts in double quotes, where characters that
// can't be seen can be written by their codes.
func quotedYAML(text []byte) ([]byte, error) {
	var document yamlv3.Node
	if err := yamlv3.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	blockStyle(&document)
	var out bytes.Buffer
	encoder := yamlv3.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := errors.Join(encoder.Encode(&document), encoder.Close()); err != nil {
		return nil, err
	}
	return escape(out.Bytes(), codePoint), nil
}

// blockStyle takes JSON's brackets away.
func blockStyle(node *yamlv3.Node) {
	if node.Kind != yamlv3.ScalarNode {
		node.Style = 0
	}
	for _, inner := range node.Content {
		blockStyle(inner)
	}
}

// visible writes the characters that can't be seen by their codes, and leaves the rest as
// it is.
func visible(text string) string {
	var out strings.Builder
	for _, r := range text {
		if strconv.IsPrint(r) {
			out.WriteRune(r)
		} else {
			quoted := strconv.QuoteRuneToASCII(r)
			out.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return out.String()
}

func allVisible(texts []string) []string {
	shown := make([]string, 0, len(texts))
	for _, text := range texts {
		shown = append(shown, visible(text))
	}
	return shown
}
