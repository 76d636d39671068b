package manifest

import (
	"context"
	"runtime"
	"sync"

	"golang.org/x/sync/semaphore"
)

// pipeline parses documents on all processors, and hands them over in the order in
// which they were read.
type pipeline struct {
	jobs    chan *job // to be parsed
	ordered chan *job // the same, to be handed over
	memory  *semaphore.Weighted
}

// job is a document to be parsed, or something that could not even be read.
type job struct {
	file     string
	path     string // Document.Path
	chunk    chunk
	weight   int64
	document *Document
	err      *Error
	remark   func() // what there is to say instead
	done     chan struct{}
}

// inMemory bounds the text that waits to be parsed or handed over. What it is parsed
// into is several times larger.
const inMemory = 24 << 20

func newPipeline() *pipeline {
	return &pipeline{
		jobs:    make(chan *job),
		ordered: make(chan *job, 16*runtime.GOMAXPROCS(0)),
		memory:  semaphore.NewWeighted(inMemory),
	}
}

// run lets produce hand in what it reads, and visits the documents one at a time. It
// returns early when the context ends.
func (p *pipeline) run(ctx context.Context, produce func(context.Context), visit func(*Document), broken func(*Error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(p.work)
	}
	go func() {
		produce(ctx)
		close(p.jobs)
		workers.Wait()
		close(p.ordered)
	}()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case j, more := <-p.ordered:
			if !more {
				return ctx.Err()
			}
			select {
			case <-j.done:
			case <-ctx.Done(): // it may never be parsed
				return ctx.Err()
			}
			switch {
			case j.err != nil:
				broken(j.err)
			case j.remark != nil:
				j.remark()
			case j.document != nil:
				visit(j.document)
			}
			p.memory.Release(j.weight)
		}
	}
}

func (p *pipeline) work() {
	for j := range p.jobs {
		d, err := j.chunk.parse()
		switch {
		case err != nil:
			j.err = located(j.file, j.chunk, err)
		case d != nil:
			d.File, d.Path = j.file, j.path
			j.document = d
		}
		close(j.done)
	}
}

// parse hands in a document to be parsed. Where the context has ended, nobody waits
// for it any more.
func (p *pipeline) parse(ctx context.Context, file, path string, c chunk) {
	j := &job{file: file, path: path, chunk: c, weight: min(int64(len(c.text)), inMemory), done: make(chan struct{})}
	if !p.queue(ctx, j) {
		return
	}
	select {
	case p.jobs <- j:
	case <-ctx.Done():
	}
}

// tell hands in an error, which is told in its turn.
func (p *pipeline) tell(ctx context.Context, err *Error) {
	p.queue(ctx, &job{err: err, done: nothingToDo})
}

// remark hands in something to be said in its turn.
func (p *pipeline) remark(ctx context.Context, say func()) {
	p.queue(ctx, &job{remark: say, done: nothingToDo})
}

var nothingToDo = func() chan struct{} {
	done := make(chan struct{})
	close(done)
	return done
}()

func (p *pipeline) queue(ctx context.Context, j *job) bool {
	if err := p.memory.Acquire(ctx, j.weight); err != nil {
		return false
	}
	select {
	case p.ordered <- j:
		return true
	case <-ctx.Done():
		return false
	}
}
