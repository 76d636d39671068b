package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"runtime/debug"

	fast "github.com/go-json-experiment/json"
	admissionv1 "k8s.io/api/admission/v1"
	admissionv1beta1 "k8s.io/api/admission/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
	kubejson "sigs.k8s.io/json"
)

// maxReview bounds what is read of a review. It holds an object as it will be and as it
// is, each of up to 1.5 MB where it is stored, and JSON writes a character in up to six:
// an object that is full of < must not pass by unseen for being too large.
const maxReview = 20 << 20

// Serve serves a handler over HTTP. Where it can't decide, the answer is an HTTP error,
// so that the API server goes by the entry's failurePolicy: an AdmissionReview with an
// error in it would count as a refusal, also where Embargo must not be in the way. That,
// and the bound, is why controller-runtime's own server of reviews doesn't do.
func Serve(h admission.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		review, code, err := readReview(w, r)
		if err != nil {
			http.Error(w, err.Error(), code)
			return
		}
		response := handle(r.Context(), h, review.Request)
		if undecided(&response) {
			http.Error(w, response.Result.Message, int(response.Result.Code))
			return
		}
		review.Request, review.Response = nil, &response.AdmissionResponse
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(review); err != nil {
			logf.FromContext(r.Context()).Error(err, "the answer to a review could not be written")
		}
	})
}

// readReview reads an AdmissionReview of either version: they have the same shape. Its
// error comes with the HTTP status that says the same.
func readReview(w http.ResponseWriter, r *http.Request) (*admissionv1.AdmissionReview, int, error) {
	if is, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || is != "application/json" {
		return nil, http.StatusUnsupportedMediaType, fmt.Errorf("the Content-Type is %q, want application/json", r.Header.Get("Content-Type"))
	}
	body, err := readBody(w, r)
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, http.StatusRequestEntityTooLarge, fmt.Errorf("the review has more than %d bytes", maxReview)
	}
	if err != nil {
		return nil, http.StatusBadRequest, fmt.Errorf("reading the review: %w", err)
	}
	review, err := decodeReview(body)
	if err != nil {
		return nil, http.StatusBadRequest, fmt.Errorf("reading the review: %w", err)
	}
	version := review.APIVersion
	if review.Kind != "AdmissionReview" || version != admissionv1.SchemeGroupVersion.String() && version != admissionv1beta1.SchemeGroupVersion.String() {
		return nil, http.StatusBadRequest, fmt.Errorf("the review is a %q of %q, want an AdmissionReview of admission.k8s.io/v1 or v1beta1", review.Kind, version)
	}
	if review.Request == nil {
		return nil, http.StatusBadRequest, errors.New("the review has no request")
	}
	return review, http.StatusOK, nil
}

// readBody reads a request's body, at once where its length is told.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	var body bytes.Buffer
	if r.ContentLength > 0 && r.ContentLength <= maxReview {
		body.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, maxReview))
	return body.Bytes(), err
}

// decodeReview decodes a review. What the fast decoder refuses, such as a name that comes
// twice, is read as the API server reads it.
func decodeReview(body []byte) (*admissionv1.AdmissionReview, error) {
	review := &admissionv1.AdmissionReview{}
	if fast.Unmarshal(body, review) == nil {
		return review, nil
	}
	review = &admissionv1.AdmissionReview{}
	return review, kubejson.UnmarshalCaseSensitivePreserveInts(body, review)
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
