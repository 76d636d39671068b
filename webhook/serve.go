package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"embargo.dev/webhook/fairness"
	"embargo.dev/webhook/limits"
)

// Serve serves a handler over HTTP, within limits; nil bounds nothing. Where it can't
// decide, the answer is an HTTP error, so that the API server goes by the entry's
// failurePolicy: an AdmissionReview with an error in it would count as a refusal, also where
// Embargo must not be in the way. That, and the limits, is why controller-runtime's own
// server of reviews doesn't do.
func Serve(h admission.Handler, limits *limits.Limits) http.Handler {
	return &endpoint{h, limits}
}

// endpoint answers reviews by a handler.
type endpoint struct {
	handler admission.Handler
	limits  *limits.Limits
}

// ServeHTTP reads a review, decides it in its turn, and writes the answer. Only the part in
// between needs a place among those who use the CPU, so that nobody holds one by reading or
// writing slowly.
func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	source := fairness.SourceOf(r.RemoteAddr)
	r = r.WithContext(reviewLines.into(r.Context()))
	memory := e.limits.Memory(source)
	defer memory.Release()
	body, err := readBody(r, e.limits.Body(r.Context(), source, http.MaxBytesReader(w, r.Body, maxReview)), memory)
	if err != nil {
		writeError(w, err)
		return
	}
	answer, err := e.decide(r.Context(), source, body, memory)
	if err != nil {
		writeError(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if _, err := w.Write(answer); err != nil {
		logf.FromContext(r.Context()).Error(err, "the answer to a review could not be written")
	}
}

// decide returns the answer to a review.
func (e *endpoint) decide(ctx context.Context, source fairness.Source, body []byte, memory *limits.Memory) ([]byte, error) {
	ctx, done, err := e.limits.Decide(ctx, source, len(body))
	if err != nil {
		return nil, &httpError{http.StatusTooManyRequests, fmt.Errorf("waiting to decide: %w", err)}
	}
	defer done()
	review, err := readReview(body, memory)
	if err != nil {
		return nil, err
	}
	response, err := e.respond(ctx, review.Request, memory)
	if err != nil {
		return nil, err
	}
	review.Request, review.Response = nil, &response.AdmissionResponse
	return json.Marshal(review)
}

func (e *endpoint) respond(ctx context.Context, request *admissionv1.AdmissionRequest, memory *limits.Memory) (*admission.Response, error) {
	cost := decodingCost(request)
	if cost > maxDecodingCost {
		if costOf(request.OldObject.Raw) > maxDecodingCost {
			return nil, tooLarge("an object with too many values, as the stored one has")
		}
		response := tooComplex(request)
		return &response, nil
	}
	if !memory.Grow(cost) {
		return nil, errMemory
	}
	response := handle(ctx, e.handler, request)
	if undecided(&response) {
		return nil, &httpError{int(response.Result.Code), errors.New(response.Result.Message)}
	}
	return &response, nil
}

// httpError is an error with the HTTP status that says the same.
type httpError struct {
	code int
	err  error
}

func (e *httpError) Error() string { return e.err.Error() }
func (e *httpError) Unwrap() error { return e.err }

// errMemory says that a source has too much in work.
var errMemory = &httpError{http.StatusTooManyRequests, errors.New("too many bytes of reviews in work from this address")}

func writeError(w http.ResponseWriter, err error) {
	code := http.StatusBadRequest
	if known, ok := errors.AsType[*httpError](err); ok {
		code = known.code
	}
	http.Error(w, err.Error(), code)
}

// handle lets the handler decide. A panic decides nothing.
func handle(ctx context.Context, h admission.Handler, request *admissionv1.AdmissionRequest) (response admission.Response) {
	defer func() {
		if cause := recover(); cause != nil {
			err := fmt.Errorf("panic: %v", cause)
			logf.FromContext(ctx).Error(err, "can't decide", "kind", request.Kind.Kind, "namespace", request.Namespace, "name", request.Name, "stack", string(debug.Stack()))
			response = errored(http.StatusInternalServerError, err)
		}
	}()
	response = h.Handle(ctx, admission.Request{AdmissionRequest: *request})
	response.UID = request.UID
	return response
}

// reasonUndecided marks a response that decides nothing.
const reasonUndecided metav1.StatusReason = "Undecided"

// errored says that no decision could be made, and why.
func errored(code int32, err error) admission.Response {
	response := admission.Errored(code, err)
	response.Result.Reason = reasonUndecided
	return response
}

func undecided(response *admission.Response) bool {
	return response.Result != nil && response.Result.Reason == reasonUndecided
}
