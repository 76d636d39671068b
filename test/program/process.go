package program

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

// Process is a running program.
type Process struct {
	Name string

	logFile string
	cmd     *exec.Cmd
	ended   chan struct{}
	err     error // how it ended, once ended is closed
}

// Surroundings say where a program runs.
type Surroundings struct {
	Dir      string // its working folder, where its output goes into a log file
	Network  string // path of its network namespace; empty, this process's
	Detached bool   // whether it outlives this process
}

// Start starts a program. Unless it is detached, it doesn't outlive this process, however
// this process ends.
func Start(path string, in Surroundings, args ...string) (*Process, error) {
	p := &Process{Name: filepath.Base(path), ended: make(chan struct{})}
	p.logFile = filepath.Join(in.Dir, p.Name+".log")
	output, err := os.OpenFile(p.logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer output.Close() //nolint:errcheck // the child has its own
	p.cmd = exec.Command(path, args...)
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.Dir = output, output, in.Dir
	if err := launch(p.cmd, in); err != nil {
		return nil, fmt.Errorf("starting %s: %w", p.Name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// PID returns the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Path returns the path of the program.
func (p *Process) Path() string { return p.cmd.Path }

// grace is how long a program may take to stop by itself.
const grace = 5 * time.Second

// Stop ends the program and waits until it has ended.
func (p *Process) Stop() error {
	select {
	case <-p.ended:
		return nil
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping %s: %w", p.Name, err)
	}
	select {
	case <-p.ended:
	case <-time.After(grace):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
	return nil
}

// Await waits until a check succeeds, and fails early, with the end of the log,
// when the program ends.
func (p *Process) Await(ctx context.Context, check func(context.Context) error) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	var last error
	for {
		if last = check(ctx); last == nil {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended (%w):\n%s", p.Name, p.err, p.tail())
		case <-ctx.Done():
			return fmt.Errorf("%s isn't ready (%w): %w\n%s", p.Name, ctx.Err(), last, p.tail())
		case <-ticker.C:
		}
	}
}

// tail returns the last lines of the log.
func (p *Process) tail() string {
	content, err := os.ReadFile(p.logFile)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n")
}
