package workload_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"embargo.dev/policies/workload"
)

// object is a schema of an object with a spec, to be completed.
func schemaOf(t *testing.T, text string) *workload.Schema {
	t.Helper()
	raw, err := yaml.YAMLToJSON([]byte(text))
	require.NoError(t, err)
	var s workload.Schema
	require.NoError(t, json.Unmarshal(raw, &s))
	return &s
}

var widget = kind("Widget.example.com")

func TestPodTemplatesAreFoundInSchemas(t *testing.T) {
	const podSpec = "{type: object, properties: {containers: {type: array, items: {type: object, properties: {name: {type: string}, image: {type: string}}}}}}"
	for text, want := range map[string]string{
		"{type: object, properties: {spec: {type: object, properties: {template: {type: object, properties: {spec: " + podSpec + "}}}}}}":                                               "spec.template.spec",
		"{type: object, properties: {spec: {type: object, properties: {jobs: {type: array, items: " + podSpec + "}}}}}":                                                                 "spec.jobs[]",
		"{type: object, properties: {spec: {type: object, properties: {roles: {type: object, additionalProperties: " + podSpec + "}}}}}":                                                "spec.roles[*]",
		"{type: object, properties: {spec: {type: object, properties: {steps: {type: array, items: {type: object, properties: {image: {type: string}}}}}}}}":                            "spec",
		"{type: object, properties: {spec: {type: object, properties: {sidecars: {type: array, items: {type: object, x-kubernetes-preserve-unknown-fields: true}}}}}}":                  "spec",
		"{type: object, properties: {spec: {type: object, properties: {values: {x-kubernetes-preserve-unknown-fields: true}}}}}":                                                        "spec.values",
		"{type: object, properties: {spec: {type: object, properties: {raw: {type: object, x-kubernetes-embedded-resource: true}}}}}":                                                   "spec.raw",
		"{type: object, properties: {spec: {type: object, additionalProperties: true}}}":                                                                                                "spec",
		"{type: object, properties: {template: " + podSpec + "}}":                                                                                                                       "template",
		"{type: object, x-kubernetes-preserve-unknown-fields: true}":                                                                                                                    "*",
		"{type: object, properties: {containers: {type: array, items: {type: object, properties: {image: {type: string}}}}}}":                                                           "*",
		"{type: object, properties: {spec: {type: object, anyOf: [{type: object, properties: {x: " + podSpec + "}}]}}}":                                                                 "spec.x",
		"{type: object, properties: {status: " + podSpec + "}}":                                                                                                                         "",
		"{type: object, properties: {metadata: {x-kubernetes-preserve-unknown-fields: true}}}":                                                                                          "",
		"{type: object, properties: {status: {x-kubernetes-preserve-unknown-fields: true}}}":                                                                                            "",
		"{type: object, properties: {spec: {type: object, properties: {containers: {type: array, items: {type: object, properties: {name: {type: string}, usage: {type: object}}}}}}}}": "",
		"{type: object, properties: {spec: {type: object, properties: {containers: {type: integer}, image: {type: string}}}}}":                                                          "",
		"{type: object, properties: {spec: {type: object}}}":                                                                                                                            "",
		"{type: object, properties: {spec: {type: object, properties: {port: {x-kubernetes-int-or-string: true}}}}}":                                                                    "",
	} {
		got, _ := workload.Schemas{}.Images(widget, schemaOf(t, text))
		assert.Equal(t, want, got, text)
	}
}

func TestSchemasOfOtherServersReferToOneAnother(t *testing.T) {
	definitions := map[string]*workload.Schema{
		"io.k8s.PodSpec":   schemaOf(t, "{type: object, properties: {containers: {type: array, items: {allOf: [{$ref: '#/components/schemas/io.k8s.Container'}], default: {}}}}}"),
		"io.k8s.Container": schemaOf(t, "{type: object, properties: {image: {type: string}}}"),
		"Tree":             schemaOf(t, "{type: object, properties: {children: {type: array, items: {$ref: '#/components/schemas/Tree'}}}}"),
		"Raw":              schemaOf(t, "{type: object}"),
	}
	for text, want := range map[string]string{
		"{type: object, properties: {spec: {description: d, allOf: [{$ref: '#/components/schemas/io.k8s.PodSpec'}]}}}": "spec",
		"{type: object, properties: {spec: {$ref: '#/components/schemas/Tree'}}}":                                      "",
		"{type: object, properties: {spec: {$ref: '#/components/schemas/Raw'}}}":                                       "spec",
		"{type: object, properties: {spec: {$ref: '#/components/schemas/Missing'}}}":                                   "spec",
		"{type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}":                      "",
	} {
		got, _ := workload.Schemas{Definitions: definitions, Open: true}.Images(widget, schemaOf(t, text))
		assert.Equal(t, want, got, text)
	}
}

func TestWhatTheSchemaSaysGoesBeforeWhatItLeavesOpen(t *testing.T) {
	const text = "{type: object, properties: {spec: {type: object, properties: {config: {x-kubernetes-preserve-unknown-fields: true}, containers: {type: array, items: {type: object, properties: {image: {type: string}}}}}}}}"
	path, said := workload.Schemas{}.Images(widget, schemaOf(t, text))
	assert.Equal(t, "spec", path)
	assert.True(t, said)
}
