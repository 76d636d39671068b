package webhook

import (
	"bytes"
	"context"
	"net/http"

	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

// Serve serves a handler over HTTP. Where it can't decide, the answer is an HTTP error,
// so that the API server goes by the entry's failurePolicy: an AdmissionReview with an
// error in it would count as a refusal, also where Embargo must not be in the way.
func Serve(h admission.Handler) http.Handler {
	reviews := &admission.Webhook{Handler: h}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		undecided := new(error)
		answer := &buffered{header: w.Header(), status: http.StatusOK}
		reviews.ServeHTTP(answer, r.WithContext(context.WithValue(r.Context(), undecidedKey{}, undecided)))
		if *undecided != nil {
			http.Error(w, (*undecided).Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(answer.status)
		_, _ = w.Write(answer.body.Bytes()) // nobody could do anything about an error
	})
}

// undecidedKey is where a handler leaves the error that kept it from deciding.
type undecidedKey struct{}

// errored says that no decision could be made, and why.
func errored(ctx context.Context, code int32, err error) admission.Response {
	if undecided, ok := ctx.Value(undecidedKey{}).(*error); ok {
		*undecided = err
	}
	return admission.Errored(code, err)
}

// buffered keeps an answer until it is known whether it counts.
type buffered struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (b *buffered) Header() http.Header            { return b.header }
func (b *buffered) WriteHeader(status int)         { b.status = status }
func (b *buffered) Write(text []byte) (int, error) { return b.body.Write(text) }
