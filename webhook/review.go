package webhook

import (
	"encoding/json"
	"errors"
	"fmt"

	fast "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	admissionv1 "k8s.io/api/admission/v1"
	admissionv1beta1 "k8s.io/api/admission/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubejson "sigs.k8s.io/json"

	"embargo.dev/webhook/limits"
)

// maxUserCost bounds what a user's groups and extra values may take in memory: 200,000
// groups, or 5,000 times more than an API server sends.
const maxUserCost = 8 << 20

// incomingReview is what is decoded of an AdmissionReview at first. It has no response: an
// API server sends none, and a forged one of 8 MiB would take 160 MiB in memory.
type incomingReview struct {
	metav1.TypeMeta `json:",inline"`

	Request *incomingRequest `json:"request"`
}

// incomingRequest leaves the user undecoded until its cost is known.
type incomingRequest struct {
	admissionv1.AdmissionRequest `json:",inline"`

	UserInfo json.RawMessage `json:"userInfo"`
}

// readReview decodes an AdmissionReview of either version: they have the same shape. What
// it holds of the body is copied.
func readReview(body []byte, memory *limits.Memory) (*admissionv1.AdmissionReview, error) {
	if !memory.Grow(len(body)) {
		return nil, errMemory
	}
	incoming, err := decodeReview(body)
	if err != nil {
		return nil, fmt.Errorf("reading the review: %w", err)
	}
	version := incoming.APIVersion
	if incoming.Kind != "AdmissionReview" || version != admissionv1.SchemeGroupVersion.String() && version != admissionv1beta1.SchemeGroupVersion.String() {
		return nil, fmt.Errorf("the review is a %.64q of %.64q, want an AdmissionReview of admission.k8s.io/v1 or v1beta1", incoming.Kind, version)
	}
	if incoming.Request == nil {
		return nil, errors.New("the review has no request")
	}
	request := incoming.Request.AdmissionRequest
	if err := decodeUser(incoming.Request.UserInfo, &request, memory); err != nil {
		return nil, err
	}
	return &admissionv1.AdmissionReview{TypeMeta: incoming.TypeMeta, Request: &request}, nil
}

// decodeUser decodes the user of a request, within the limits on memory.
func decodeUser(text []byte, into *admissionv1.AdmissionRequest, memory *limits.Memory) error {
	if len(text) == 0 {
		return nil
	}
	cost := costOf(text)
	if cost > maxUserCost {
		return tooLarge("a user with too many groups and extra values")
	}
	if !memory.Grow(cost) {
		return errMemory
	}
	if err := decode(text, &into.UserInfo); err != nil {
		return fmt.Errorf("reading the review's user: %w", err)
	}
	return nil
}

func decodeReview(body []byte) (*incomingReview, error) {
	review := &incomingReview{}
	return review, decode(body, review)
}

// decode decodes a part of a review. What the fast decoder refuses is read as the API server
// reads it. Neither remembers the names in an object to see whether one comes twice, which
// takes many times the text: the last one counts.
func decode[T any](text []byte, into *T) error {
	if fast.Unmarshal(text, into, jsontext.AllowDuplicateNames(true)) == nil {
		return nil
	}
	*into = *new(T)
	return kubejson.UnmarshalCaseSensitivePreserveInts(text, into)
}
