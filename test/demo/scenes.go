package main

import (
	"context"
	"fmt"
	"time"
)

// scenes are what the demo shows, in order.
var scenes = []func(context.Context, *demo) error{
	refused, clean, fromBefore, reported, waived, phaseBegins, outage,
}

// scannerBefore is the vendor's scanner as it ran before anybody restricted it.
const scannerBefore = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: scanner, namespace: mail}
spec:
  replicas: 1
  selector: {matchLabels: {app: scanner}}
  template:
    metadata: {labels: {app: scanner}}
    spec:
      containers: [{name: scanner, image: "kaspersky/scanengine_httpd:2.0"}]
`

func refused(ctx context.Context, d *demo) error {
	step("A restricted vendor's image is refused")
	return d.kubectl(ctx, fail, "create", "deployment", "av", "--image=kaspersky/scanengine_httpd:2.1")
}

func clean(ctx context.Context, d *demo) error {
	step("Anything else goes through, without a word")
	return d.kubectl(ctx, succeed, "create", "deployment", "web", "--image=nginx:1.27")
}

func fromBefore(ctx context.Context, d *demo) error {
	step("What ran before still scales and restarts; only an update is refused")
	for _, command := range []struct {
		want outcome
		args []string
	}{
		{succeed, []string{"-n", "mail", "scale", "deployment", "scanner", "--replicas=2"}},
		{succeed, []string{"-n", "mail", "rollout", "restart", "deployment", "scanner"}},
		{succeed, []string{"-n", "mail", "delete", "pods", "-l", "app=scanner", "--wait=false"}},
	} {
		if err := d.kubectl(ctx, command.want, command.args...); err != nil {
			return err
		}
	}
	if err := d.awaitPods(ctx); err != nil {
		return err
	}
	if err := d.kubectl(ctx, succeed, "-n", "mail", "get", "pods", "-l", "app=scanner"); err != nil {
		return err
	}
	return d.kubectl(ctx, fail, "-n", "mail", "set", "image", "deployment/scanner", "scanner=kaspersky/scanengine_httpd:2.1")
}

func reported(ctx context.Context, d *demo) error {
	step("What still runs, since when, and what comes next")
	output, err := d.plane.Kubectl(ctx, "wait", "--for=create", "--timeout=30s", "-n", "mail", "vendorreport/kaspersky").CombinedOutput()
	if err != nil {
		return fmt.Errorf("kubectl wait: %w\n%s", err, output)
	}
	return d.kubectl(ctx, succeed, "get", "vr", "-A")
}

// awaitPods waits until the real controllers have made new Pods of the old image.
func (d *demo) awaitPods(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		output, err := d.plane.Kubectl(ctx, "-n", "mail", "get", "pods", "-l", "app=scanner", "-o", "name").Output()
		if err == nil && len(output) > 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no new Pods of the scanner: %w", ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func waived(ctx context.Context, d *demo) error {
	step("An exception has a reason, an approver and an end")
	waiver := fmt.Sprintf(`
apiVersion: embargo.dev/v1alpha1
kind: VendorWaiver
metadata: {name: scanner-until-migrated}
spec:
  vendor: kaspersky
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: mail}}
  images: ["docker.io/kaspersky/scanengine_httpd:2.1"]
  expires: %q
  reason: The replacement is being rolled out.
  approvedBy: the security office
`, time.Now().Add(90*24*time.Hour).UTC().Format(time.RFC3339))
	if err := d.apply(ctx, succeed, waiver); err != nil {
		return err
	}
	if err := d.awaitRules(ctx, "vendorwaiver/scanner-until-migrated", "Active"); err != nil {
		return err
	}
	return d.kubectl(ctx, succeed, "-n", "mail", "set", "image", "deployment/scanner", "scanner=kaspersky/scanengine_httpd:2.1")
}

func (d *demo) awaitRules(ctx context.Context, object, condition string) error {
	output, err := d.plane.Kubectl(ctx, "wait", "--for=condition="+condition, "--timeout=30s", object).CombinedOutput()
	if err != nil {
		return fmt.Errorf("kubectl wait: %w\n%s", err, output)
	}
	return nil
}

// phaseDelay is how long the demo's own vendor is warned about before it is refused.
const phaseDelay = 20 * time.Second

func phaseBegins(ctx context.Context, d *demo) error {
	step("A phase begins on its own: first warned, then refused, with no write and no restart between")
	begins := time.Now().Add(phaseDelay).Truncate(time.Second)
	vendor := fmt.Sprintf(`
apiVersion: embargo.dev/v1alpha1
kind: RestrictedVendor
metadata: {name: acme}
spec:
  displayName: Acme
  images: {repositories: [{pattern: "registry.acme.example/**"}]}
  replacement: an agent of another vendor
  restrictions:
    - name: us-demo
      authority: the demo
      citations: [{title: Demo Order 1, url: "https://example.com/order-1"}]
      audience: us-persons
      timeZone: America/New_York
      schedule:
        - {phase: announced, effective: "2024-01-01", summary: ban announced, introduce: Warn, update: Warn, continue: Audit}
        - {phase: prohibited, effective: %q, summary: new use is prohibited, introduce: Deny, update: Deny, continue: Warn}
`, begins.UTC().Format(time.RFC3339))
	if err := d.apply(ctx, succeed, vendor); err != nil {
		return err
	}
	if err := d.awaitRules(ctx, "restrictedvendor/acme", "Enforced"); err != nil {
		return err
	}
	if err := d.kubectl(ctx, succeed, "run", "agent-1", "--image=registry.acme.example/agent:1"); err != nil {
		return err
	}
	wait := time.Until(begins) + 100*time.Millisecond
	fmt.Printf("\n… waiting %s for %s\n", wait.Round(time.Second), begins.UTC().Format(time.RFC3339))
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
	}
	if err := d.kubectl(ctx, fail, "run", "agent-2", "--image=registry.acme.example/agent:1"); err != nil {
		return err
	}
	return d.kubectl(ctx, succeed, "get", "restrictedvendors,vendorpolicies,vendorwaivers")
}

func outage(ctx context.Context, d *demo) error {
	step("Embargo is stopped: clean workloads don't notice, suspects are refused by the API server itself")
	if err := d.replica.Stop(); err != nil {
		return err
	}
	if err := d.kubectl(ctx, succeed, "run", "clean", "--image=redis:7"); err != nil {
		return err
	}
	if err := d.kubectl(ctx, succeed, "-n", "mail", "scale", "deployment", "scanner", "--replicas=1"); err != nil {
		return err
	}
	if err := d.kubectl(ctx, fail, "run", "av", "--image=kaspersky/scanengine_httpd:2.1"); err != nil {
		return err
	}
	if !d.keep {
		return nil
	}
	return d.startController(ctx)
}
