// Package discovery finds the resources that may carry images, beside
// Kubernetes' own workloads: from the schemas of custom resources and of aggregated
// APIs that the cluster serves. It follows them as they come, change and go, and keeps
// what it found, never the schemas.
package discovery
