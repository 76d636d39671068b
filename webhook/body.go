package webhook

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"embargo.dev/webhook/limits"
)

const (
	// maxReview bounds the text of a review. It has two objects of up to 1.5 MiB each where
	// they are stored, and JSON writes a character in up to six: an object that is full of <
	// must not pass unseen for being too large.
	maxReview = 20 << 20
	// maxPlain bounds the same without what escapes add. An API server takes requests of up
	// to 3 MiB, and a built-in kind has more text as JSON than where it is stored.
	maxPlain = 8 << 20
	// firstBuffer is the most that is reserved before anything has arrived.
	firstBuffer = 16 << 10
)

// readBody reads a request's body, which ends after maxReview bytes. A header says nothing
// about what will arrive, so the buffer grows, and is counted, by what has arrived.
func readBody(r *http.Request, text io.Reader, memory *limits.Memory) ([]byte, error) {
	contentType := r.Header.Get("Content-Type")
	if is, _, err := mime.ParseMediaType(contentType); err != nil || is != "application/json" {
		return nil, &httpError{http.StatusUnsupportedMediaType, fmt.Errorf("the Content-Type is %q, want application/json", contentType)}
	}
	if r.ContentLength > maxReview {
		return nil, tooLarge("%d bytes; at most %d are read", r.ContentLength, maxReview)
	}
	largest := maxReview + 1 // one more to see the end
	if r.ContentLength >= 0 {
		largest = int(r.ContentLength) + 1
	}
	size := min(largest, firstBuffer)
	if !memory.Grow(size) {
		return nil, errMemory
	}
	body, err := fill(text, make([]byte, 0, size), largest, memory)
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, tooLarge("more than %d bytes", maxReview)
	}
	if errors.Is(err, limits.ErrTooMuchWork) {
		return nil, &httpError{http.StatusTooManyRequests, err}
	}
	return body, err
}

// fill reads up to the end, and doubles the buffer whenever it is full.
func fill(from io.Reader, body []byte, largest int, memory *limits.Memory) ([]byte, error) {
	for {
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if errors.Is(err, io.EOF) {
			return body, checkPlain(body)
		}
		if err != nil {
			return nil, fmt.Errorf("reading the review: %w", err)
		}
		if len(body) < cap(body) {
			continue
		}
		if body, err = grow(body, largest, memory); err != nil {
			return nil, err
		}
	}
}

func grow(body []byte, largest int, memory *limits.Memory) ([]byte, error) {
	if err := checkPlain(body); err != nil {
		return nil, err
	}
	size := max(min(2*cap(body), largest), cap(body)+1)
	if !memory.Grow(size) {
		return nil, errMemory
	}
	larger := append(make([]byte, 0, size), body...)
	memory.Shrink(cap(body))
	return larger, nil
}

// checkPlain refuses a text that is large for another reason than its escapes.
func checkPlain(text []byte) error {
	if plain := plainLength(text); plain > maxPlain {
		return tooLarge("%d bytes without what escapes add; at most %d are read", plain, maxPlain)
	}
	return nil
}

// plainLength returns the length of a JSON text with each \u escape counted as one byte.
func plainLength(text []byte) int {
	length := len(text)
	if length <= maxPlain {
		return length // whatever the escapes
	}
	for i := bytes.IndexByte(text, '\\'); i >= 0 && i+1 < len(text); {
		if text[i+1] == 'u' {
			length -= len(`\u0000`) - 1
		}
		text = text[i+2:]
		i = bytes.IndexByte(text, '\\')
	}
	return length
}

func tooLarge(format string, args ...any) error {
	limits.Rejected(limits.ReasonSize)
	return &httpError{http.StatusRequestEntityTooLarge, fmt.Errorf("the review has "+format, args...)}
}
