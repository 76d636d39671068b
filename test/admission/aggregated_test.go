package admission_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// aggregated are the documents of a server beside the API server, by path: a resource
// with a pod template, and one without.
var aggregated = map[string]string{
	"/apis":                        `{"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"factory.example.com","versions":[{"groupVersion":"factory.example.com/v1","version":"v1"}],"preferredVersion":{"groupVersion":"factory.example.com/v1","version":"v1"}}]}`,
	"/apis/factory.example.com/v1": `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"factory.example.com/v1","resources":[{"name":"machines","singularName":"machine","namespaced":true,"kind":"Machine","verbs":["create"]},{"name":"machines/status","singularName":"","namespaced":true,"kind":"Machine","verbs":["update"]},{"name":"tools","singularName":"tool","namespaced":true,"kind":"Tool","verbs":["create"]}]}`,
	"/openapi/v3":                  `{"paths":{"apis/factory.example.com/v1":{"serverRelativeURL":"/openapi/v3/apis/factory.example.com/v1?hash=1"}}}`,
	"/openapi/v3/apis/factory.example.com/v1": `{"openapi":"3.0.0","info":{"title":"f","version":"1"},"paths":{},"components":{"schemas":{
		"Machine":{"type":"object","properties":{"spec":{"type":"object","properties":{"template":{"allOf":[{"$ref":"#/components/schemas/Template"}]}}}},"x-kubernetes-group-version-kind":[{"group":"factory.example.com","version":"v1","kind":"Machine"}]},
		"Template":{"type":"object","properties":{"containers":{"type":"array","items":{"$ref":"#/components/schemas/Container"}}}},
		"Container":{"type":"object","properties":{"image":{"type":"string"}}},
		"Tool":{"type":"object","properties":{"spec":{"type":"object","properties":{"size":{"type":"integer"}}}},"x-kubernetes-group-version-kind":[{"group":"factory.example.com","version":"v1","kind":"Tool"}]}}}}`,
}

// TestAnAggregatedAPIIsLookedAt puts a server beside the API server, by way of a
// Service that points to this machine.
func TestAnAggregatedAPIIsLookedAt(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		document, ok := aggregated[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, document)
	}))
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)
	ns := namespace(t)
	apply(t, fmt.Sprintf(`
apiVersion: v1
kind: Service
metadata: {name: factory, namespace: %[1]s}
spec: {type: ExternalName, externalName: localhost, ports: [{port: %[2]s}]}
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.factory.example.com}
spec:
  group: factory.example.com
  version: v1
  groupPriorityMinimum: 1000
  versionPriority: 10
  insecureSkipTLSVerify: true
  service: {name: factory, namespace: %[1]s, port: %[2]s}
`, ns, port))
	t.Cleanup(func() { must(t, "delete", "apiservice", "v1.factory.example.com", "--ignore-not-found") })
	awaitCovered(t, "machines.factory.example.com", true)
	awaitCovered(t, "tools.factory.example.com", false)
	must(t, "delete", "apiservice", "v1.factory.example.com")
	awaitCovered(t, "machines.factory.example.com", false)
}
