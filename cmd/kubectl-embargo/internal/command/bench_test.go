package command_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"embargo.dev/cmd/kubectl-embargo/internal/command"
)

// shop is a Deployment as charts render it.
const shop = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-%[1]d
  namespace: team-%[2]d
  labels:
    app.kubernetes.io/name: app-%[1]d
    app.kubernetes.io/part-of: shop
  annotations:
    example.com/owner: "team %[2]d"
spec:
  replicas: 3
  selector:
    matchLabels:
      app.kubernetes.io/name: app-%[1]d
  template:
    metadata:
      labels:
        app.kubernetes.io/name: app-%[1]d
    spec:
      serviceAccountName: app-%[1]d
      securityContext:
        runAsNonRoot: true
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: app
          image: %[3]s
          ports:
            - name: http
              containerPort: 8080
          env:
            - name: LOG_LEVEL
              value: info
            - name: POD_IP
              valueFrom:
                fieldRef:
                  fieldPath: status.podIP
          resources:
            requests: {cpu: 100m, memory: 128Mi}
            limits:
              memory: 256Mi
          readinessProbe:
            httpGet:
              path: /healthz
              port: http
        - name: proxy
          image: ghcr.io/shop/proxy:v1.%[1]d
          args: ["--upstream", "http://localhost:8080"]
      volumes:
        - name: config
          configMap:
            name: app-%[1]d
`

// folder writes manifests, of which one in a hundred has a vendor's image.
func folder(b *testing.B, manifests int) string {
	b.Helper()
	dir := b.TempDir()
	for i := range manifests {
		image := fmt.Sprintf("registry.example.com/shop/app-%d:1.%d", i, i)
		if i%100 == 0 {
			image = fmt.Sprintf("vendor7-3/scanner:2.%d", i)
		}
		text := fmt.Sprintf(shop, i, i%40, image)
		require.NoError(b, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d.yaml", i)), []byte(text), 0o600))
	}
	return dir
}

// restricted writes a restricted list of 40 vendors with 250 patterns each.
func restricted(b *testing.B) string {
	b.Helper()
	var text strings.Builder
	for v := range 40 {
		fmt.Fprintf(&text, "---\napiVersion: embargo.dev/v1alpha1\nkind: RestrictedVendor\nmetadata: {name: vendor-%d}\nspec:\n  displayName: Vendor %d\n  images:\n    repositories:\n", v, v)
		for p := range 250 {
			fmt.Fprintf(&text, "    - {pattern: \"docker.io/vendor%d-%d/**\"}\n", v, p)
		}
		text.WriteString("  restrictions:\n  - name: ban\n    authority: An authority\n    citations: [{title: A text, url: \"https://example.com/\"}]\n    audience: us-persons\n    timeZone: America/New_York\n    schedule:\n    - {phase: prohibited, effective: \"2024-01-01\", introduce: Deny, update: Deny, continue: Warn}\n")
	}
	path := filepath.Join(b.TempDir(), "list.yaml")
	require.NoError(b, os.WriteFile(path, []byte(text.String()), 0o600))
	return path
}

// BenchmarkCheck checks 5,000 manifests with 10,000 patterns, all of it: the command
// line, the list, reading, deciding and printing. heap-MB is the most that the heap took
// of the system.
func BenchmarkCheck(b *testing.B) {
	const manifests = 5000
	dir, list := folder(b, manifests), restricted(b)
	b.ResetTimer()
	var peak uint64
	for b.Loop() {
		var out, errOut bytes.Buffer
		code := command.Run(b.Context(), []string{"check", "-f", dir, "--list", list, "-o", "json"},
			genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &errOut})
		require.Equal(b, 1, code, errOut.String())
		require.Contains(b, out.String(), `"deny": 50,`)
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		peak = max(peak, stats.HeapSys)
	}
	b.ReportMetric(float64(manifests*b.N)/b.Elapsed().Seconds(), "objects/s")
	b.ReportMetric(float64(peak)/1e6, "heap-MB")
}

// BenchmarkExplain runs the program for one image, from start to finish. CPU-ms is the
// processor time of the whole process.
func BenchmarkExplain(b *testing.B) {
	program := filepath.Join(b.TempDir(), "kubectl-embargo")
	build := exec.CommandContext(b.Context(), "go", "build", "-o", program, "embargo.dev/cmd/kubectl-embargo")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	output, err := build.CombinedOutput()
	require.NoError(b, err, string(output))
	var used time.Duration
	for b.Loop() {
		cmd := exec.CommandContext(b.Context(), program, "explain", "kaspersky/scanengine_httpd:2.1")
		require.NoError(b, cmd.Run())
		used += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	b.ReportMetric(float64(used.Milliseconds())/float64(b.N), "CPU-ms/op")
}
