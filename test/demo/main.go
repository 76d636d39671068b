// Command demo sets up a real control plane, runs the true controller on it, and
// shows with the real kubectl what users will see.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"embargo.dev/test/controlplane"
	"embargo.dev/test/installation"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "\ndemo:", err)
		os.Exit(1)
	}
}

// setupTimeout bounds what comes after the binaries are there.
const setupTimeout = 3 * time.Minute

func run(ctx context.Context) (err error) {
	d := &demo{keep: os.Getenv("KEEP") == "1"}
	defer func() { err = errors.Join(err, d.tearDown()) }()
	if err := d.setUp(ctx); err != nil {
		return err
	}
	for _, scene := range scenes {
		if err := scene(ctx, d); err != nil {
			return err
		}
	}
	if d.keep {
		return d.wait(ctx)
	}
	fmt.Println("\nThat was it. make demo KEEP=1 leaves it up to try things by hand.")
	return nil
}

// demo is the stage.
type demo struct {
	keep    bool
	dir     string
	root    string
	binary  string
	plane   *controlplane.ControlPlane
	replica *installation.Replica
	log     *os.File
}

func (d *demo) setUp(ctx context.Context) error {
	step("Getting a Kubernetes control plane ready (the first time this builds it, about ten minutes)")
	if _, err := controlplane.Locate(ctx, os.Stdout); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	var err error
	if d.root, err = installation.Root(ctx); err != nil {
		return err
	}
	if d.dir, err = os.MkdirTemp("", "embargo-demo-"); err != nil {
		return err
	}
	if d.plane, err = controlplane.Start(ctx, controlplane.Options{Dir: filepath.Join(d.dir, "cluster"), ControllerManager: true, Progress: os.Stdout}); err != nil {
		return err
	}
	step("A workload that was there before Embargo")
	if err := d.kubectl(ctx, succeed, "create", "namespace", "mail"); err != nil {
		return err
	}
	if err := d.apply(ctx, succeed, scannerBefore); err != nil {
		return err
	}
	step("Installing Embargo")
	if d.binary, err = installation.Build(ctx, d.root, d.dir); err != nil {
		return err
	}
	if err := installation.Prepare(ctx, d.plane, d.root); err != nil {
		return err
	}
	if d.log, err = os.Create(filepath.Join(d.dir, "embargo.log")); err != nil {
		return err
	}
	if err := d.startController(ctx); err != nil {
		return err
	}
	return d.kubectl(ctx, succeed, "get", "restrictedvendors,vendorpolicies")
}

// startController starts the controller and waits until the API server calls it.
func (d *demo) startController(ctx context.Context) error {
	var err error
	if d.replica, err = installation.Start(d.plane, d.binary, "", d.log); err != nil {
		return err
	}
	if err := d.replica.AwaitReady(ctx); err != nil {
		return d.withLog(err)
	}
	if err := installation.AwaitRegistered(ctx, d.plane); err != nil {
		return d.withLog(err)
	}
	return nil
}

func (d *demo) withLog(err error) error {
	content, _ := os.ReadFile(d.log.Name())
	return fmt.Errorf("%w\n%s", err, content)
}

func (d *demo) tearDown() error {
	var errs []error
	if d.replica != nil {
		errs = append(errs, d.replica.Stop())
	}
	if d.plane != nil {
		errs = append(errs, d.plane.Stop())
	}
	if d.dir != "" {
		errs = append(errs, os.RemoveAll(d.dir))
	}
	return errors.Join(errs...)
}

// wait keeps the stage up until somebody interrupts.
func (d *demo) wait(ctx context.Context) error {
	fmt.Printf(`
It stays up until you press Ctrl-C. In another terminal:
  export KUBECONFIG=%s
  alias kubectl=%s
Try:
  kubectl get rv,vp,vw
  kubectl describe rv kaspersky
  kubectl run agent --image=kaspersky/scanengine_icapd:2.1
  kubectl explain vendorwaiver.spec
The controller's log is %s
`, d.plane.Kubeconfig(), d.plane.KubectlPath(), d.log.Name())
	<-ctx.Done()
	return nil
}

// outcome is what a command should come to.
type outcome bool

const (
	succeed outcome = true
	fail    outcome = false
)

// kubectl shows a command and what it prints, and insists on its outcome.
func (d *demo) kubectl(ctx context.Context, want outcome, args ...string) error {
	return d.kubectlWith(ctx, want, "", args...)
}

// apply shows a manifest being applied.
func (d *demo) apply(ctx context.Context, want outcome, manifest string) error {
	return d.kubectlWith(ctx, want, manifest, "apply", "-f", "-")
}

func (d *demo) kubectlWith(ctx context.Context, want outcome, manifest string, args ...string) error {
	fmt.Printf("\n$ kubectl %s\n", strings.Join(args, " "))
	if manifest != "" {
		fmt.Println(indent(manifest))
	}
	cmd := d.plane.Kubectl(ctx, args...)
	cmd.Stdin = strings.NewReader(manifest)
	output, err := cmd.CombinedOutput()
	fmt.Print(string(output))
	if got := outcome(err == nil); got != want {
		return fmt.Errorf("kubectl %s: succeeded is %t, want %t", strings.Join(args, " "), got, want)
	}
	return ctx.Err()
}

func indent(text string) string {
	return "  | " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  | ")
}

func step(text string) { fmt.Printf("\n── %s\n", text) }
