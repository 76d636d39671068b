// Package controlplane runs a real Kubernetes control plane on this machine, for
// the demo and for tests: etcd, kube-apiserver, kube-controller-manager and, where
// asked, kube-scheduler, with real authentication, RBAC and admission.
//
// The binaries are taken from KUBEBUILDER_ASSETS, else downloaded with their
// published checksums, else built from their Go modules, which needs nothing but Go
// and its module proxy.
package controlplane
