package manifest

import (
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

// Reader reads the documents of files, folders, URLs and standard input.
type Reader struct {
	Stdin     io.Reader
	Recursive bool // into folders below a folder
	// Broken is told what can't be read; reading goes on.
	Broken func(*Error)
}

// Read hands every document of the sources to visit.
func (r *Reader) Read(ctx context.Context, sources []string, visit func(*Document)) {
	for _, source := range sources {
		switch {
		case source == "-":
			r.stream("<stdin>", r.Stdin, visit)
		case strings.HasPrefix(source, "https://"), strings.HasPrefix(source, "http://"):
			r.url(ctx, source, visit)
		default:
			r.path(source, visit)
		}
	}
}

func (r *Reader) stream(name string, stream io.Reader, visit func(*Document)) {
	if err := Documents(name, stream, visit, r.Broken); err != nil {
		r.Broken(&Error{File: name, Err: err})
	}
}

func (r *Reader) path(path string, visit func(*Document)) {
	info, err := os.Stat(path)
	if err != nil {
		r.Broken(&Error{File: path, Err: cause(err)})
		return
	}
	if !info.IsDir() {
		r.file(path, visit)
		return
	}
	err = filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			r.Broken(&Error{File: name, Err: cause(err)})
		case entry.IsDir() && name != path && !r.Recursive:
			return fs.SkipDir
		case !entry.IsDir() && slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name)):
			r.file(name, visit)
		}
		return nil
	})
	if err != nil {
		r.Broken(&Error{File: path, Err: err})
	}
}

func (r *Reader) file(path string, visit func(*Document)) {
	file, err := os.Open(path)
	if err != nil {
		r.Broken(&Error{File: path, Err: cause(err)})
		return
	}
	defer file.Close() //nolint:errcheck // read only
	r.stream(path, file, visit)
}

// cause leaves out the path, which the place names already.
func cause(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}

var httpClient = &http.Client{Timeout: time.Minute}

func (r *Reader) url(ctx context.Context, url string, visit func(*Document)) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		r.Broken(&Error{File: url, Err: err})
		return
	}
	response, err := httpClient.Do(request)
	if err != nil {
		r.Broken(&Error{File: url, Err: fmt.Errorf("%w: %w", ErrUnreachable, err)})
		return
	}
	defer response.Body.Close() //nolint:errcheck // read only
	if response.StatusCode != http.StatusOK {
		r.Broken(&Error{File: url, Err: fmt.Errorf("%w: %s", ErrUnreachable, response.Status)})
		return
	}
	if err := Documents(url, response.Body, visit, r.Broken); err != nil {
		r.Broken(&Error{File: url, Err: fmt.Errorf("%w: %w", ErrUnreachable, err)})
	}
}
