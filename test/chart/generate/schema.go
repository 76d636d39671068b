package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"embargo.dev/policies/catalog"
)

//go:embed values.yaml
var values []byte

// declared are the definitions in the schema that the CRDs give.
var declared = map[string]string{"vendor": "restrictedvendors", "policy": "vendorpolicies", "waiver": "vendorwaivers"}

// schema writes the schema of the values. What values declare is checked by the schemas
// of its kinds, so that Helm tells a mistake before anything is installed.
func (g generator) schema() error {
	var schema map[string]any
	if err := yaml.UnmarshalStrict(values, &schema); err != nil {
		return err
	}
	definitions, ok := schema["definitions"].(map[string]any)
	if !ok {
		return errors.New("the schema has no definitions")
	}
	definitions["builtin"] = selection()
	for name, plural := range declared {
		spec, err := g.specOf(plural)
		if err != nil {
			return err
		}
		definitions[name] = map[string]any{
			"type": []string{"object", "null"}, "additionalProperties": false, "required": []string{"spec"},
			"properties": map[string]any{"labels": map[string]any{"$ref": "#/definitions/strings"}, "annotations": map[string]any{"$ref": "#/definitions/strings"}, "spec": spec},
		}
	}
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(schema); err != nil {
		return err
	}
	return g.write(buffer.String(), "values.schema.json")
}

// selection is the schema of catalog.vendors: "*", names, and names to leave out of "*".
func selection() map[string]any {
	entries := []string{catalog.All}
	for _, name := range catalog.Names() {
		entries = append(entries, name, "!"+name)
	}
	return map[string]any{
		"type": "array", "items": map[string]any{"enum": entries},
		"if":   map[string]any{"contains": map[string]any{"type": "string", "pattern": "^!"}},
		"then": map[string]any{"contains": map[string]any{"const": catalog.All}},
	}
}

func (g generator) specOf(plural string) (any, error) {
	content, err := g.read("crd", "embargo.dev_"+plural+".yaml")
	if err != nil {
		return nil, err
	}
	crd := map[string]any{}
	if err := yaml.Unmarshal([]byte(content), &crd); err != nil {
		return nil, err
	}
	versions, _, err := unstructured.NestedSlice(crd, "spec", "versions")
	if err != nil || len(versions) != 1 {
		return nil, fmt.Errorf("%s: want one version: %w", plural, err)
	}
	version, _ := versions[0].(map[string]any)
	spec, found, err := unstructured.NestedMap(version, "schema", "openAPIV3Schema", "properties", "spec")
	if err != nil || !found {
		return nil, fmt.Errorf("%s: no schema of the spec: %w", plural, err)
	}
	return plain(spec), nil
}

// plain leaves out Kubernetes' extensions and refuses unknown fields, as strict reading
// of the objects does.
func plain(node any) any {
	switch node := node.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, value := range node {
			if len(key) < 2 || key[:2] != "x-" {
				out[key] = plain(value)
			}
		}
		if properties, ok := out["properties"].(map[string]any); ok && properties != nil && out["additionalProperties"] == nil {
			out["additionalProperties"] = false
		}
		return out
	case []any:
		for i := range node {
			node[i] = plain(node[i])
		}
		return node
	default:
		return node
	}
}
