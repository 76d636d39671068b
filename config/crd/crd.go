// Package crd has the CustomResourceDefinitions of Embargo's kinds, which say what an
// API server accepts.
package crd

import _ "embed"

// RestrictedVendors is the definition of RestrictedVendor.
//
//go:embed embargo.dev_restrictedvendors.yaml
var RestrictedVendors []byte
