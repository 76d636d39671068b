package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"embargo.dev/policies/v1alpha1"
	"embargo.dev/test/controlplane"
	"embargo.dev/test/installation"
)

// measure compares lists with audits, then runs a real leader twice, so that the second
// one has nothing to write, and prints what it took.
func measure(ctx context.Context, plane *controlplane.ControlPlane, clientset *kubernetes.Clientset, binary, logPath string, s size) error {
	log, err := os.Create(logPath)
	if err != nil {
		return err
	}
	admin, err := client.New(plane.Config(), client.Options{})
	if err != nil {
		return err
	}
	if err := v1alpha1.AddToScheme(admin.Scheme()); err != nil {
		return err
	}
	fmt.Printf("%d Pods in %d namespaces, %d restricted\n", s.pods, s.namespaces, s.restricted)
	if err := compare(ctx, plane, clientset); err != nil {
		return err
	}
	for _, name := range []string{"first leader", "next leader"} {
		if err := lead(ctx, plane, admin, binary, log, name, s); err != nil {
			return fmt.Errorf("%s: %w (log: %s)", name, err, logOf(logPath))
		}
	}
	return nil
}

// lead runs a leader until all reports are there.
func lead(ctx context.Context, plane *controlplane.ControlPlane, admin client.Client, binary string, log *os.File, name string, s size) error {
	replica, err := installation.Start(plane, binary, "", log)
	if err != nil {
		return err
	}
	defer replica.Stop() //nolint:errcheck // its time is over anyway
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	var took float64
	for took == 0 {
		if err := pause(ctx); err != nil {
			return err
		}
		took = metric(replica.Metrics, "embargo_audit_startup_seconds")
	}
	audited := time.Now()
	found := 0
	for found < s.restricted/perWorkload {
		if err := pause(ctx); err != nil {
			return fmt.Errorf("%d workloads are in reports: %w", found, err)
		}
		if found, err = reportedWorkloads(ctx, admin); err != nil {
			return err
		}
	}
	written := time.Since(audited)
	fmt.Printf("%s\n  %-30s %8.2f s\n", name, "audited, its own start included", took)
	fmt.Printf("  reports are there after        %8.2f s more, %.0f writes\n", written.Seconds(), metric(replica.Metrics, "embargo_report_writes_total"))
	return memory(ctx, replica)
}

// memory prints what the process takes, at its peak and after it has come to rest.
func memory(ctx context.Context, replica *installation.Replica) error {
	for range 100 {
		if err := pause(ctx); err != nil {
			return err
		}
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", replica.PID()))
	if err != nil {
		return err
	}
	for _, field := range []struct{ name, text string }{{"VmHWM:", "memory at its peak"}, {"VmRSS:", "memory at rest"}} {
		_, rest, _ := strings.Cut(string(status), field.name)
		kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
		if err != nil {
			return err
		}
		fmt.Printf("  %-30s %8.1f MiB\n", field.text, float64(kilobytes)/1024)
	}
	return nil
}

func reportedWorkloads(ctx context.Context, admin client.Client) (int, error) {
	var reports v1alpha1.VendorReportList
	if err := admin.List(ctx, &reports); err != nil {
		return 0, err
	}
	sum := 0
	for i := range reports.Items {
		sum += int(reports.Items[i].Summary.Workloads)
	}
	return sum, nil
}

// metric is the sum of a metric's samples; 0 while there is none.
func metric(url, name string) float64 {
	response, err := http.Get(url) // the replica's own
	if err != nil {
		return 0
	}
	defer response.Body.Close() //nolint:errcheck // read only
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		return 0
	}
	sum := 0.0
	for _, sample := range families[name].GetMetric() {
		sum += sample.GetGauge().GetValue() + sample.GetCounter().GetValue()
	}
	return sum
}

func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(100 * time.Millisecond):
		return nil
	}
}

func logOf(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	const most = 4000
	return string(content[max(0, len(content)-most):])
}
