// Package certmanager runs the chart's cert-manager mode with cert-manager's own
// controllers: on a real API server, which calls the replicas by their Service. There is
// no kubelet; the tests mount the Secret as one does, and decide when. They need the build
// tag certmanager: make test-cert-manager.
package certmanager
