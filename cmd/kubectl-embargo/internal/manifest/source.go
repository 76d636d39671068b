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

	"github.com/bmatcuk/doublestar/v4"
	"golang.org/x/text/transform"
)

// ErrUnreachable marks a URL that can't be reached or may not be read.
var ErrUnreachable = errors.New("can't be reached")

// StandardInput is the Document.File of standard input.
const StandardInput = "<stdin>"

// Reader reads the documents of files, folders, URLs and standard input, in bounded
// memory.
type Reader struct {
	Stdin     io.Reader
	Recursive bool // into folders below a folder
	// Broken is told what can't be read; reading goes on.
	Broken func(*Error)
	// Exclude has glob patterns of paths that are not read. One with a slash matches a
	// Document.Path, one without any folder or file on the way to it; ** matches any
	// number of folders.
	Exclude []string
	// Excluded is called for each file or folder that Exclude leaves out.
	Excluded func(path string)
	// NotEntered is called for each folder below a source that needs Recursive.
	NotEntered func(folder string)
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
	below  string        // where the file at hand lies: Document.Path
}

func (r *reading) source(ctx context.Context, source string) {
	r.below = ""
	switch {
	case source == "-":
		r.stream(ctx, StandardInput, r.Stdin)
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
	if decoder := utf16Decoder(r.buffer); decoder != nil {
		r.buffer = bufio.NewReaderSize(transform.NewReader(r.buffer, decoder), buffered)
	}
	return split(ctx, r.buffer, defaultLimits, func(c chunk) { r.parse(ctx, name, r.below, c) })
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

// path reads a file, a folder, or what a glob pattern matches: a shell leaves a pattern
// alone that is quoted or that matches nothing.
func (r *reading) path(ctx context.Context, path string) {
	info, err := os.Stat(path)
	switch {
	case err != nil && strings.ContainsAny(path, "*?[{"):
		r.glob(ctx, path)
	case err != nil:
		r.tell(ctx, &Error{File: path, Err: cause(err)})
	case info.IsDir():
		r.folder(ctx, path)
	default:
		if below := BelowWorkingFolder(path); !r.excludes(ctx, below, path) {
			r.file(ctx, path, below)
		}
	}
}

func (r *reading) glob(ctx context.Context, pattern string) {
	found, err := doublestar.FilepathGlob(pattern)
	if err == nil && len(found) == 0 {
		err = errors.New("no file matches")
	}
	if err != nil {
		r.tell(ctx, &Error{File: pattern, Err: err})
	}
	for _, path := range found {
		r.path(ctx, path)
	}
}

// excludes reports whether Exclude leaves a path out.
func (r *reading) excludes(ctx context.Context, below, name string) bool {
	if !excluded(r.Exclude, below) {
		return false
	}
	if r.Excluded != nil {
		r.remark(ctx, func() { r.Excluded(name) })
	}
	return true
}

func (r *reading) folder(ctx context.Context, path string) {
	root := path + string(filepath.Separator) // of a symbolic link, the folder that it leads to
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			r.tell(ctx, &Error{File: name, Err: cause(err)})
		case entry.IsDir() && name != root && r.excludes(ctx, below(root, name), name):
			return fs.SkipDir
		case entry.IsDir() && name != root && !r.Recursive:
			if r.NotEntered != nil {
				r.remark(ctx, func() { r.NotEntered(name) })
			}
			return fs.SkipDir
		case r.Recursive && r.Unfollowed != nil && leadsToFolder(name, entry):
			r.remark(ctx, func() { r.Unfollowed(name) })
		case !entry.IsDir() && slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name)):
			if below := below(root, name); !r.excludes(ctx, below, name) {
				r.file(ctx, name, below)
			}
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

// BelowWorkingFolder returns the path of a file relative to the working folder, with
// slashes. A file elsewhere keeps its whole path.
func BelowWorkingFolder(path string) string {
	if folder, err := os.Getwd(); err == nil && filepath.IsAbs(path) {
		if relative, err := filepath.Rel(folder, path); err == nil && filepath.IsLocal(relative) {
			path = relative
		}
	}
	return filepath.ToSlash(filepath.Clean(path))
}

// below returns the path of a file relative to a folder that it is in, with slashes.
func below(folder, path string) string {
	relative, err := filepath.Rel(folder, path)
	if err != nil {
		relative = path
	}
	return filepath.ToSlash(relative)
}

func (r *reading) file(ctx context.Context, path, below string) {
	file, err := os.Open(path)
	if err != nil {
		r.tell(ctx, &Error{File: path, Err: cause(err)})
		return
	}
	defer file.Close() //nolint:errcheck // read only
	r.below = below
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
