package app

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"
)

var errDraining = errors.New("stopping")

// drain is the time between being told to stop and stopping: the replica says
// that it is not ready, and still answers until the API server has turned to
// others.
type drain struct{ begun atomic.Bool }

// start returns a context that ends a period after the given one.
func (d *drain) start(ctx context.Context, period time.Duration) context.Context {
	later, cancel := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer cancel()
		<-ctx.Done()
		d.begun.Store(true)
		time.Sleep(period)
	}()
	return later
}

// check is a readiness check.
func (d *drain) check(*http.Request) error {
	if d.begun.Load() {
		return errDraining
	}
	return nil
}

// partWith asks callers, while the replica drains, to connect anew the next time. The API
// server keeps its connections and would use one to this replica to the end, when it is
// cut with a request on its way.
func (d *drain) partWith(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.begun.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
