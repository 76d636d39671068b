package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// process is a running program of the control plane.
type process struct {
	name    string
	logFile string
	cmd     *exec.Cmd
	ended   chan struct{}
	err     error // how it ended, once ended is closed
}

// start starts a program with its output in a log file. Unless it is detached, it
// doesn't outlive this process, however this process ends.
func start(path, dir string, detached bool, args ...string) (*process, error) {
	p := &process{name: filepath.Base(path), ended: make(chan struct{})}
	p.logFile = filepath.Join(dir, p.name+".log")
	output, err := os.OpenFile(p.logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer output.Close() //nolint:errcheck // the child has its own
	p.cmd = exec.Command(path, args...)
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.Dir = output, output, dir
	if err := launch(p.cmd, detached); err != nil {
		return nil, fmt.Errorf("starting %s: %w", p.name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// grace is how long a program may take to stop by itself.
const grace = 5 * time.Second

// stop ends the program and waits until it has ended.
func (p *process) stop() error {
	select {
	case <-p.ended:
		return nil
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping %s: %w", p.name, err)
	}
	select {
	case <-p.ended:
	case <-time.After(grace):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
	return nil
}

// await waits until a check succeeds, and fails early, with the end of the log,
// when the program ends.
func (p *process) await(ctx context.Context, check func(context.Context) error) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	var last error
	for {
		if last = check(ctx); last == nil {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended (%w):\n%s", p.name, p.err, p.tail())
		case <-ctx.Done():
			return fmt.Errorf("%s isn't ready (%w): %w\n%s", p.name, ctx.Err(), last, p.tail())
		case <-ticker.C:
		}
	}
}

// tail returns the last lines of the log.
func (p *process) tail() string {
	content, err := os.ReadFile(p.logFile)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n")
}
