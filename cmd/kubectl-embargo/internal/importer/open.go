package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"time"
)

// ErrUnreachable marks a URL that can't be reached or may not be read.
var ErrUnreachable = errors.New("can't be reached")

// Open opens a file, a URL or, for -, standard input. Reading ends with the context. The
// caller closes it.
func Open(ctx context.Context, source string, stdin io.Reader) (File, io.Closer, error) {
	switch {
	case source == "-":
		return File{Name: "<stdin>", Reader: &interruptible{ctx, stdin}}, io.NopCloser(nil), nil
	case strings.HasPrefix(source, "https://"), strings.HasPrefix(source, "http://"):
		body, err := get(ctx, source)
		if err != nil {
			return File{}, nil, err
		}
		return File{Name: source, Reader: body}, body, nil
	}
	file, err := os.Open(source)
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = fmt.Errorf("%s: %w", source, pathErr.Err)
	}
	if err != nil {
		return File{}, nil, err
	}
	return File{Name: source, Reader: &interruptible{ctx, file}}, file, nil
}

// interruptible reads until the context ends.
type interruptible struct {
	ctx context.Context // io.Reader has no context
	in  io.Reader
}

// Read reads unless the context has ended.
func (r *interruptible) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.in.Read(p)
}

// patience is how long a server may be silent. A list of hundreds of megabytes takes its
// time, so the whole has no limit.
const patience = time.Minute

func get(ctx context.Context, url string) (*download, error) {
	ctx, cancel := context.WithCancel(ctx)
	silence := time.AfterFunc(patience, cancel)
	stop := func() { silence.Stop(); cancel() }
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		stop()
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		stop()
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if response.StatusCode != http.StatusOK {
		stop()
		response.Body.Close() //nolint:errcheck // there is an error to tell already
		return nil, fmt.Errorf("%s: %w: %s", url, ErrUnreachable, response.Status)
	}
	return &download{body: response.Body, silence: silence, stop: stop}, nil
}

// download ends when the server is silent for too long.
type download struct {
	body    io.ReadCloser
	silence *time.Timer
	stop    func()
}

// Read reads what arrives.
func (d *download) Read(p []byte) (int, error) {
	d.silence.Reset(patience)
	n, err := d.body.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return n, err
}

// Close ends the download.
func (d *download) Close() error {
	d.stop()
	return d.body.Close()
}
