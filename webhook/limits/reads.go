package limits

import (
	"context"
	"errors"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"embargo.dev/webhook/fairness"
)

// ErrTooManyReads says that a source causes more reads from the API server than its share.
var ErrTooManyReads = errors.New("too many requests from this address need something read from the API server")

// caller is what a context knows of who is answered.
type caller struct {
	source fairness.Source
	place  *fairness.Place
}

type callerKey struct{}

// withCaller returns a context for the decision of a request: it carries the request's
// source, and its place among those who decide.
func withCaller(ctx context.Context, source fairness.Source, place *fairness.Place) context.Context {
	return context.WithValue(ctx, callerKey{}, caller{source, place})
}

// read runs one read from the API server within the limits of the context's source.
// Meanwhile somebody else may use the CPU.
func (l *Limits) read(ctx context.Context, read func() error) error {
	c, ok := ctx.Value(callerKey{}).(caller)
	if !ok {
		return read() // not for a request
	}
	c.place.Leave()
	err := l.readFor(ctx, c.source, read)
	return errors.Join(err, c.place.Enter(ctx))
}

func (l *Limits) readFor(ctx context.Context, source fairness.Source, read func() error) error {
	if err := l.readRate.Wait(ctx, source); err != nil {
		Rejected(ReasonReads)
		return fmt.Errorf("%w: %w", ErrTooManyReads, err)
	}
	place, err := l.reads.Enter(ctx, source)
	if err != nil {
		Rejected(ReasonReads)
		return fmt.Errorf("%w: %w", ErrTooManyReads, err)
	}
	defer place.Leave()
	l.charge(source, readFromServerCost)
	return read()
}

// Reader returns a reader that reads within the limits.
func (l *Limits) Reader(reader client.Reader) client.Reader { return limitedReader{reader, l} }

type limitedReader struct {
	reader client.Reader
	limits *Limits
}

// Get reads an object.
func (r limitedReader) Get(ctx context.Context, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
	return r.limits.read(ctx, func() error { return r.reader.Get(ctx, key, into, options...) })
}

// List reads a page of objects.
func (r limitedReader) List(ctx context.Context, into client.ObjectList, options ...client.ListOption) error {
	return r.limits.read(ctx, func() error { return r.reader.List(ctx, into, options...) })
}
