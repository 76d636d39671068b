package manifest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// ErrUnreachable marks a URL that can't be reached or may not be read.
var ErrUnreachable = errors.New("can't be reached")

// Reader reads the documents of files, folders, URLs and standard input, in bounded
// memory.
type Reader struct {
	Stdin     io.Reader
	Recursive bool // into folders below a folder
	// Broken is told what can't be read; reading goes on.
	Broken func(*Error)
	// Unfollowed is told of folders that aren't read because they are symbolic links.
	Unfollowed func(folder string)
	// Progress is told how many bytes more have been read, and of which source. It is
	// called while documents are visited.
	Progress func(source string, bytes int)
}

// Read hands every document of the sources to visit, in order and one at a time.
func (r *Reader) Read(ctx context.Context, sources []string, visit func(*Document)) {
	p := newPipeline()
	err := p.run(ctx, func(ctx context.Context) {
		run := &reading{Reader: r, pipeline: p, buffer: bufio.NewReaderSize(nil, buffered)}
		for _, source := range sources {
			run.source(ctx, source)
		}
	}, visit, r.Broken)
	if err != nil {
		r.Broken(&Error{File: strings.Join(sources, ", "), Err: fmt.Errorf("reading was interrupted: %w", err)})
	}
}

// reading is a run of a Reader.
type reading struct {
	*Reader
	*pipeline

	buffer *bufio.Reader // of the source at hand
}

func (r *reading) source(ctx context.Context, source string) {
	switch {
	case source == "-":
		r.stream(ctx, "<stdin>", r.Stdin)
	case strings.HasPrefix(source, "https://"), strings.HasPrefix(source, "http://"):
		r.url(ctx, source)
	default:
		r.path(ctx, source)
	}
}

func (r *reading) stream(ctx context.Context, name string, stream io.Reader) {
	if err := r.split(ctx, name, stream); err != nil {
		r.tell(ctx, &Error{File: name, Err: err})
	}
}

func (r *reading) split(ctx context.Context, name string, stream io.Reader) error {
	if r.Progress != nil {
		stream = &counted{Reader: stream, tell: func(n int) { r.Progress(name, n) }}
	}
	r.buffer.Reset(stream)
	return split(ctx, r.buffer, defaultLimits, func(c chunk) { r.parse(ctx, name, c) })
}

// counted is a stream that tells how much of it is read.
type counted struct {
	io.Reader

	tell func(int)
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.tell(n)
	return n, err
}

func (r *reading) path(ctx context.Context, path string) {
	info, err := os.Stat(path)
	if err != nil {
		r.tell(ctx, &Error{File: path, Err: cause(err)})
		return
	}
	if !info.IsDir() {
		r.file(ctx, path)
		return
	}
	root := path + string(filepath.Separator) // of a symbolic link, the folder that it leads to
	err = filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			r.tell(ctx, &Error{File: name, Err: cause(err)})
		case entry.IsDir() && name != root && !r.Recursive:
			return fs.SkipDir
		case r.Recursive && r.Unfollowed != nil && leadsToFolder(name, entry):
			r.remark(ctx, func() { r.Unfollowed(name) })
		case !entry.IsDir() && slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name)):
			r.file(ctx, name)
		}
		return ctx.Err()
	})
	if err != nil {
		r.tell(ctx, &Error{File: path, Err: err})
	}
}

// leadsToFolder recognises symbolic links to folders, which may lead anywhere, and in
// circles.
func leadsToFolder(name string, entry fs.DirEntry) bool {
	if entry.Type()&fs.ModeSymlink == 0 {
		return false
	}
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

func (r *reading) file(ctx context.Context, path string) {
	file, err := os.Open(path)
	if err != nil {
		r.tell(ctx, &Error{File: path, Err: cause(err)})
		return
	}
	defer file.Close() //nolint:errcheck // read only
	r.stream(ctx, path, file)
}

// cause leaves out the path, which the place names already.
func cause(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}

var httpClient = &http.Client{Timeout: time.Minute}

func (r *reading) url(ctx context.Context, url string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		r.tell(ctx, &Error{File: url, Err: err})
		return
	}
	response, err := httpClient.Do(request)
	if err != nil {
		r.tell(ctx, &Error{File: url, Err: fmt.Errorf("%w: %w", ErrUnreachable, err)})
		return
	}
	defer response.Body.Close() //nolint:errcheck // read only
	if response.StatusCode != http.StatusOK {
		r.tell(ctx, &Error{File: url, Err: fmt.Errorf("%w: %s", ErrUnreachable, response.Status)})
		return
	}
	if err := r.split(ctx, url, response.Body); err != nil {
		r.tell(ctx, &Error{File: url, Err: fmt.Errorf("%w: %w", ErrUnreachable, err)})
	}
}
