package output

import (
	"bytes"
	"encoding/json"
	"errors"

	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"

	"embargo.dev/internal/escape"
)

// MarshalYAML returns a value as YAML that every reader takes, whatever characters its
// texts have.
func MarshalYAML(value any) ([]byte, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	escaped := escape.Encoded(raw, escape.CodePoint)
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
	return escape.Encoded(out.Bytes(), escape.CodePoint), nil
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

func allVisible(texts []string) []string {
	shown := make([]string, 0, len(texts))
	for _, text := range texts {
		shown = append(shown, escape.Text(text))
	}
	return shown
}
