package main

import "sigs.k8s.io/kube-api-linter/pkg/config"

// linters are those of the default set, but for these.
var linters = config.Linters{Disable: []string{
	// It asks for omitempty or a pointer on required fields, so that a Go client which
	// forgets one is told by the API server. The required fields here have bounds that
	// refuse their zero value, which tells it too, and pointers would make every
	// reader of the compiled-in list check for nil.
	"requiredfields",
	// It asks for pointers where the zero value may be written. Here it always means
	// what absence means (no text, no days, select all, nothing counted).
	"optionalfields",
}}

// lintersConfig says how those judge.
var lintersConfig = config.LintersConfig{
	"conditions": map[string]any{
		"isFirstField": "Ignore", // observedGeneration says first what a status is of
		// The kinds are custom resources: neither protocol buffers nor strategic merge
		// patches know them.
		"useProtobuf":      "Forbid",
		"usePatchStrategy": "Forbid",
	},
}
