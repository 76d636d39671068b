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

// Open opens a file, a URL or, for -, standard input. The caller closes it.
func Open(ctx context.Context, source string, stdin io.Reader) (name string, in io.ReadCloser, err error) {
	switch {
	case source == "-":
		return "<stdin>", io.NopCloser(stdin), nil
	case strings.HasPrefix(source, "https://"), strings.HasPrefix(source, "http://"):
		in, err = get(ctx, source)
		return source, in, err
	}
	file, err := os.Open(source)
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return source, nil, fmt.Errorf("%s: %w", source, pathErr.Err)
	}
	return source, file, err
}

// patience is how long a server may be silent. A list of hundreds of megabytes takes its
// time, so the whole has no limit.
const patience = time.Minute

func get(ctx context.Context, url string) (io.ReadCloser, error) {
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
		response.Body.Close() //nolint:errcheck,gosec // there is an error to tell already
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
