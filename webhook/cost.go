package webhook

import (
	"bytes"
	"fmt"
	"net/http"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"embargo.dev/policies/v1alpha1"
	"embargo.dev/webhook/limits"
)

// What decoding an object and deciding about it may take in memory, by the characters of
// its text that make structure. A text of many small values becomes fifty times as large.
const (
	costOfMap   = 1200 // a map with its first entry, which may be a container with findings
	costOfList  = 48
	costOfEntry = 64 // a key and its value
	costOfItem  = 40
	costOfNull  = 400 // where a list of structs is expected, null is an empty struct

	// maxDecodingCost is far above what an object of 1.5 MiB costs whose values are no
	// shorter than people's and controllers' are.
	maxDecodingCost = 48 << 20

	// ruleFactor accounts for the patterns and selectors that rules compile to.
	ruleFactor = 12
)

// decodingCost estimates how many bytes it takes to decide a request. Of the object and the
// old object only one is decoded at a time.
func decodingCost(request *admissionv1.AdmissionRequest) int {
	cost := max(costOf(request.Object.Raw), costOf(request.OldObject.Raw))
	if request.Kind.Group == v1alpha1.GroupVersion.Group && request.Kind.Kind != "VendorReport" {
		cost *= ruleFactor
	}
	return cost
}

func costOf(text []byte) int {
	count := func(what string) int { return bytes.Count(text, []byte(what)) }
	maps := count("{") - count("{}")
	return maps*costOfMap + count("{}")*costOfList + count("[")*costOfList + count(":")*costOfEntry + count(",")*costOfItem + count("null")*costOfNull
}

// tooComplex refuses an object that can't be decided within bounds, whoever asks and
// however little there is to do: an error would let it pass unseen where the entry's
// failurePolicy is Ignore. An object that was stored as large before isn't refused but is an
// error, so that its status and finalizers can still be written.
func tooComplex(request *admissionv1.AdmissionRequest) admission.Response {
	limits.Rejected(limits.ReasonSize)
	response := admission.Denied("")
	response.UID = request.UID
	response.Result = &metav1.Status{
		Status: metav1.StatusFailure, Reason: metav1.StatusReasonForbidden, Code: http.StatusForbidden,
		Message: fmt.Sprintf("the object has too many values to be checked for restricted images: deciding would take some %d MiB, at most %d MiB are allowed; split it",
			decodingCost(request)>>20, maxDecodingCost>>20),
	}
	return response
}
