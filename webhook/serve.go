package webhook

import (
	"context"
	"net/http"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

// Serve serves a handler over HTTP. Where it can't decide, the answer is an HTTP error,
// so that the API server goes by the entry's failurePolicy: an AdmissionReview with an
// error in it would count as a refusal, also where Embargo must not be in the way.
func Serve(h admission.Handler) http.Handler {
	reviews := &admission.Webhook{Handler: h, LogConstructor: plainLogger}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := &answer{ResponseWriter: w}
		reviews.ServeHTTP(a, r.WithContext(context.WithValue(r.Context(), answerKey{}, a)))
	})
}

// plainLogger leaves the request's values out: whoever logs, which is rare, adds them.
func plainLogger(base logr.Logger, _ *admission.Request) logr.Logger { return base }

// answerKey is where a handler finds the answer that it gives.
type answerKey struct{}

// answer is a response that turns into an HTTP error where nothing could be decided.
type answer struct {
	http.ResponseWriter

	undecided error
	told      bool
}

// Write writes what the handler answers, or else why it has no answer.
func (a *answer) Write(text []byte) (int, error) {
	if a.undecided == nil {
		return a.ResponseWriter.Write(text)
	}
	if !a.told {
		a.told = true
		http.Error(a.ResponseWriter, a.undecided.Error(), http.StatusInternalServerError)
	}
	return len(text), nil
}

// errored says that no decision could be made, and why.
func errored(ctx context.Context, code int32, err error) admission.Response {
	if a, ok := ctx.Value(answerKey{}).(*answer); ok {
		a.undecided = err
	}
	return admission.Errored(code, err)
}
