// Package installation runs the true controller, as a process, against a control
// plane: for the demo and for tests.
package installation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"embargo.dev/test/controlplane"
)

// Build builds the controller and returns its path.
func Build(ctx context.Context, root, dir string) (string, error) {
	path := filepath.Join(dir, "embargo")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, "./cmd/embargo")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the controller: %w\n%s", err, output)
	}
	return path, nil
}

// Root returns the folder of the module.
func Root(ctx context.Context) (string, error) {
	output, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "embargo.dev").Output()
	if err != nil {
		return "", fmt.Errorf("finding the module: %w", err)
	}
	return strings.TrimSpace(string(output)), nil
}

// Prepare applies what the controller needs: namespace, kinds and roles.
func Prepare(ctx context.Context, plane *controlplane.ControlPlane, root string) error {
	output, err := plane.Kubectl(ctx, "apply", "--server-side", "-k", filepath.Join(root, "config", "base")).CombinedOutput()
	if err != nil {
		return fmt.Errorf("kubectl apply: %w\n%s", err, output)
	}
	// kubectl wait itself can't bear a status that isn't there yet.
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return poll(ctx, func() error {
		output, err := plane.Kubectl(ctx, "wait", "--for=condition=Established", "--timeout=30s", "crd", "--all").CombinedOutput()
		if err != nil {
			return fmt.Errorf("kubectl wait: %w\n%s", err, output)
		}
		return nil
	})
}

// Replica is a running controller.
type Replica struct {
	// Port is where it answers admission requests; its certificate is for localhost.
	Port    int
	health  string
	Metrics string // URL
	cmd     *exec.Cmd
	ended   chan struct{}
}

// Start starts a replica, which outlives the context only as long as this process.
func Start(plane *controlplane.ControlPlane, binary, kubeconfig string, log io.Writer, flags ...string) (*Replica, error) {
	ports, err := controlplane.FreePorts(3)
	if err != nil {
		return nil, err
	}
	r := &Replica{
		Port:    ports[0],
		health:  "http://127.0.0.1:" + strconv.Itoa(ports[1]),
		Metrics: "http://127.0.0.1:" + strconv.Itoa(ports[2]) + "/metrics",
		ended:   make(chan struct{}),
	}
	if kubeconfig == "" {
		kubeconfig = plane.Kubeconfig()
	}
	args := []string{
		"--kubeconfig=" + kubeconfig, "--webhook-host=127.0.0.1", "--log-format=text", "--drain-period=0s",
		"--webhook-port=" + strconv.Itoa(ports[0]), "--webhook-url=https://localhost:" + strconv.Itoa(ports[0]),
		"--health-bind-address=127.0.0.1:" + strconv.Itoa(ports[1]), "--metrics-bind-address=127.0.0.1:" + strconv.Itoa(ports[2]),
	}
	r.cmd = exec.Command(binary, append(args, flags...)...)
	r.cmd.Stdout, r.cmd.Stderr = log, log
	if err := r.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the controller: %w", err)
	}
	go func() {
		_ = r.cmd.Wait()
		close(r.ended)
	}()
	return r, nil
}

// PID returns the process's id.
func (r *Replica) PID() int { return r.cmd.Process.Pid }

// AwaitReady waits until the replica says that it can serve.
func (r *Replica) AwaitReady(ctx context.Context) error {
	return poll(ctx, func() error {
		select {
		case <-r.ended:
			return errEnded
		default:
			return get(ctx, r.health+"/readyz")
		}
	})
}

var errEnded = errors.New("the controller ended; see its log")

// AwaitRegistered waits until the API server calls the webhook, and the built-in list
// with the default policy is in force.
func AwaitRegistered(ctx context.Context, plane *controlplane.ControlPlane) error {
	return poll(ctx, func() error {
		for _, object := range []string{"restrictedvendor/kaspersky", "vendorpolicy/default"} {
			output, err := plane.Kubectl(ctx, "get", object, "-o", `jsonpath={.status.conditions[?(@.type=="Enforced")].status}`).Output()
			if err != nil {
				return err
			}
			if string(output) != "True" {
				return fmt.Errorf("%s is not enforced yet", object)
			}
		}
		return nil
	})
}

// Readiness returns what the replica says of one of its readiness checks, and whether that
// check passes.
func (r *Replica) Readiness(ctx context.Context, check string) (reason string, ready bool) {
	err := get(ctx, r.health+"/readyz/"+check)
	if err == nil {
		return "", true
	}
	return err.Error(), false
}

// Stop asks the replica to stop and waits until it has.
func (r *Replica) Stop() error { return r.end(syscall.SIGTERM) }

// Kill ends the replica without asking.
func (r *Replica) Kill() error { return r.end(syscall.SIGKILL) }

func (r *Replica) end(signal syscall.Signal) error {
	if err := r.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-r.ended:
		return nil
	case <-time.After(30 * time.Second):
		return errors.Join(errors.New("the controller didn't stop in time"), r.cmd.Process.Kill())
	}
}

func poll(ctx context.Context, check func() error) error {
	for {
		err := check()
		if err == nil || errors.Is(err, errEnded) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func get(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // only the status counts
	if response.StatusCode != http.StatusOK {
		reason, _ := io.ReadAll(response.Body)
		return fmt.Errorf("%s: %s: %s", url, response.Status, strings.TrimSpace(string(reason)))
	}
	return nil
}
