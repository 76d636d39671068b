// Package v1alpha1 holds the API that people write to tell Embargo which
// vendors are restricted, where that binds, and which exceptions are granted.
//
// +kubebuilder:object:generate=true
// +groupName=embargo.dev
package v1alpha1
