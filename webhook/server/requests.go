package server

import (
	"context"
	"net/http"
	"time"

	"embargo.dev/webhook/fairness"
	"embargo.dev/webhook/limits"
)

// limitRequests answers 429 past a source's share, and asks the caller to part with
// the connection, so that a flood has to connect anew, which has a limit too.
func limitRequests(limits *limits.Limits, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
		defer cancel()
		controller := http.NewResponseController(w)
		release, err := limits.Request(ctx, fairness.SourceOf(r.RemoteAddr), func() {
			cancel()
			_ = controller.SetReadDeadline(time.Unix(0, 0)) // ends the reading of a body
		})
		if err != nil {
			w.Header().Set("Connection", "close")
			http.Error(w, err.Error(), http.StatusTooManyRequests)
			return
		}
		defer release()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
