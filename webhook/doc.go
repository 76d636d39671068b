// Package webhook answers the API server: /validate decides workloads,
// /validate-embargo decides Embargo's own kinds and the labels of namespaces.
//
// The handlers only translate. A workload's request is turned into a
// policies.Request, with the namespace and the controller owner read from the
// cluster where the decision needs them; policies.Evaluate decides; the decision
// is turned into a response, audit annotations and metrics.
package webhook
