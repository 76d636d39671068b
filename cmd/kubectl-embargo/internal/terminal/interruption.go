package terminal

import (
	"context"
	"io"
	"os"
	"time"
)

// UntilInterrupted returns a writer that falls silent when the context ends: what a command
// still says after an interruption may be half of a result, and looks like the whole.
func UntilInterrupted(ctx context.Context, w io.Writer) io.Writer { return &interruptible{ctx, w} }

type interruptible struct {
	ctx context.Context //nolint:containedctx // an io.Writer takes no context
	io.Writer
}

func (i *interruptible) Write(text []byte) (int, error) {
	select {
	case <-i.ctx.Done():
		return len(text), nil
	default:
		return i.Writer.Write(text)
	}
}

// file returns the file that a writer writes to.
func file(w io.Writer) (*os.File, bool) {
	if i, ok := w.(*interruptible); ok {
		w = i.Writer
	}
	f, ok := w.(*os.File)
	return f, ok
}

// signalDelay is how long an interruption may take from the terminal to the context.
const signalDelay = 20 * time.Millisecond

// FromPipe returns a reader that, at the end of a pipe, waits for an interruption: Ctrl-C
// ends the program that writes to the pipe too, and its input is then cut short.
func FromPipe(ctx context.Context, r io.Reader) io.Reader {
	f, ok := r.(*os.File)
	if !ok {
		return r
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		return r
	}
	return &pipe{ctx: ctx, Reader: r}
}

type pipe struct {
	ctx context.Context //nolint:containedctx // an io.Reader takes no context
	io.Reader
	ended bool
}

func (p *pipe) Read(buffer []byte) (int, error) {
	n, err := p.Reader.Read(buffer)
	if err == io.EOF && !p.ended {
		p.ended = true
		select {
		case <-p.ctx.Done():
		case <-time.After(signalDelay):
		}
	}
	return n, err
}
